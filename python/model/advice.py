"""Advice: what helps an estimator that refuses the first row that it is given."""

import re
from collections.abc import Mapping

from python.model.data.features import Value

FIT = "fit the model before it is written"
COLUMNS = "the metadata must list the columns that the model was fitted with, in their order"
TYPES = (
    "the type of each feature in the metadata must be that of the column that the model "
    "was fitted with"
)
ORDERED = 'write "ordered": True into the entry of the category, with its categories in their order'
VALUES = "defaults or samples that it takes would help"

# What the libraries say of columns that are not those of the training data. Other values would not
# change that.
OTHER_COLUMNS = re.compile(
    r"number of features|features, but|features as input|columns are missing|not in index"
    r"|feature.?names?|shapes? .*(aligned|mismatch)|out[- ]of[- ]bounds|inconsistent shape"
    r"|number of columns|required columns",
    re.IGNORECASE,
)
# The logarithm of the 0 of a row that was made up, for example.
OTHER_VALUES = re.compile(r"contains (infinity|NaN)", re.IGNORECASE)
OTHER_TYPES = re.compile(
    r"could not convert|cannot convert|dtype|data type|must be .*(int|float|string|numeric)"
    r"|categorical_feature do not match|invalid type|cat_feature|num_feature|unable to convert",
    re.IGNORECASE,
)


def advise(
    error: Exception, row: Mapping[str, Value], *, is_made_up: bool
) -> str:
    """Return what helps after an estimator has raised this for a row; "" where nobody can tell.

    Other values are only advised where the row was made up, and others may help.
    """
    if "NotFitted" in type(error).__name__:
        return FIT
    if isinstance(error, ModuleNotFoundError):
        return f"add {error.name} to requirements.txt"
    if is_made_up and OTHER_VALUES.search(str(error)):
        return VALUES
    if _is_about_columns(error, row):
        return COLUMNS
    if isinstance(error, AttributeError | TypeError) or OTHER_TYPES.search(
        str(error)
    ):
        is_unordered = "Unordered Categoricals" in str(error)
        return ORDERED if is_unordered else TYPES
    return VALUES if is_made_up else ""


def _is_about_columns(error: Exception, row: Mapping[str, Value]) -> bool:
    if isinstance(error, IndexError) or OTHER_COLUMNS.search(str(error)):
        return True
    if not isinstance(error, KeyError):
        return False
    # A dict that lacks one of the values is another matter.
    return not any(error.args == (value,) for value in row.values())
