"""The end of what uWSGI imports before the fork: its processes share these pages, and the garbage collector keeps off them.

Otherwise each process would have a copy of its own as soon as the collector has looked at them
(https://docs.python.org/3/library/gc.html#gc.freeze).
"""

import gc

gc.collect()
gc.freeze()
