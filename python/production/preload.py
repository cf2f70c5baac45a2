"""What uWSGI imports before it forks, so that its processes share the memory and start sooner.

uWSGI imports this one module (`shared-import` in uwsgi.ini).
At the end the garbage collector is told to keep off what has been imported so far.
Otherwise each process would have a copy of its own as soon as the collector had looked at it
(https://docs.python.org/3/library/gc.html#gc.freeze).
"""

import gc

import sklearn.base

import python.app
import python.model.sklearn

__all__ = ["python", "sklearn"]

gc.collect()
gc.freeze()
