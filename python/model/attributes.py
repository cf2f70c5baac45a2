"""Attributes of objects of other libraries: to read one may raise anything.

A property may compute, and raise where it cannot: the importances of a survival forest do.
`hasattr` and `getattr` with a default let everything through but AttributeError.
"""

import logging
from typing import Any

from python.model.data.spelling import one_line

log = logging.getLogger(__name__)

NOTHING = object()


def read_attribute(thing: Any, name: str, default: Any = None) -> Any:
    """Return the attribute, or the default where there is none or it cannot be read.

    The log says why an attribute that there is cannot be read.
    """
    try:
        return getattr(thing, name)
    except AttributeError:
        return default
    except Exception as error:
        kind = type(thing).__name__
        log.warning("%s of the %s: %s", name, kind, one_line(error))
        return default


def has_attribute(thing: Any, name: str) -> bool:
    """Return whether there is such an attribute, and it can be read."""
    return read_attribute(thing, name, NOTHING) is not NOTHING
