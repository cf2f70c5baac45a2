"""Pickling: what cannot be pickled is refused in one sentence, with what helps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pickle import PicklingError

from python.errors import ArtifactError
from python.model.data.spelling import one_line

MOVE_IT = (
    "move it into a module in model_code/, import it from there and fit again, or write the file "
    "with cloudpickle.dump, as docs/inputs.md says"
)
LEAVE_IT_OUT = (
    "leave it out, with a __getstate__ in the class that holds it, and make it again when it is "
    "needed"
)
FLATTEN_IT = (
    "it is nested too deeply: make it flatter, or call sys.setrecursionlimit with a larger number "
    "before"
)


@contextmanager
def refused_unless_pickled(what: str, cure: str = "") -> Iterator[None]:
    """Raise ArtifactError where the block cannot pickle its objects, which the sentence calls so.

    Without a cure, what is wrong says what helps. A full disk and a lack of memory are no fault of
    the objects: OSError and MemoryError are raised as they are.
    """
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # The classes of the objects may raise anything.
        reason = one_line(error)
        raise ArtifactError(
            f"{what} cannot be pickled ({reason}): {cure or _find_cure(error)}"
        ) from error


def _find_cure(error: Exception) -> str:
    """Return what helps where a part of a model cannot be pickled."""
    if isinstance(error, RecursionError):
        return FLATTEN_IT
    # Pickle finds functions and classes by their name, in their module.
    if isinstance(error, PicklingError | AttributeError):
        return MOVE_IT
    return LEAVE_IT_OUT
