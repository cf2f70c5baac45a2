"""What uWSGI imports before it forks, so that its processes share the memory and start sooner.

uWSGI imports this one module (`shared-import` in uwsgi.ini).
At the end all objects are moved out of the garbage collector's sight. Otherwise the collector
would write to them, and each process would soon have its own copy of the memory they are in
(https://docs.python.org/3/library/gc.html#gc.freeze).
"""

import gc

import sklearn.base  # noqa: F401 - every model needs it

import python.app
import python.model.sklearn  # noqa: F401 - the app imports a family of models by its name
from python.production.ending import end_between_requests

try:
    import uwsgi
except ImportError:  # something else imports this
    pass
else:
    uwsgi.post_fork_hook = end_between_requests

gc.collect()
gc.freeze()
