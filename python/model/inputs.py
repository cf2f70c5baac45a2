"""Inputs: the columns that an estimator says it was fitted with, compared with the metadata's."""

from collections.abc import Sequence

from python.errors import ArtifactError
from python.model.attributes import has_attribute, read_attribute
from python.model.data.columns import is_frame
from python.model.data.spelling import shorten, tell_apart
from python.model.doubts.differences import find_difference, predict_all
from python.model.types import Columns, Estimator


def input_names(estimator: Estimator, names: list[str]) -> list[str] | None:
    """Return the names of the columns that the estimator was fitted with; None for an array.

    The `names` of the metadata tell columns that are called `Column_0` from those of an array.
    """
    fitted_names = _read_names(estimator)
    if fitted_names is None:
        return None
    # CatBoost numbers the columns of an array.
    if fitted_names == [str(number) for number in range(len(fitted_names))]:
        return None
    if fitted_names != names and are_lightgbms(fitted_names):
        return None
    return fitted_names


def _read_names(estimator: Estimator) -> list[str] | None:
    # The second is CatBoost's.
    for attribute in ("feature_names_in_", "feature_names_"):
        names = read_attribute(estimator, attribute)
        if names is not None:
            return list(names)
    name_features = read_attribute(estimator, "feature_name")
    if callable(name_features):  # the Booster of LightGBM
        return list(name_features())
    return None


def are_lightgbms(names: list[str]) -> bool:
    """Return whether these are the names that LightGBM before 4.7 gives the columns of an array."""
    return names == [f"Column_{number}" for number in range(len(names))]


def says_inputs(estimator: Estimator, names: list[str]) -> bool:
    """Return whether the estimator says with how many columns it was fitted, or their names."""
    has_count = has_attribute(estimator, "n_features_in_")
    return has_count or input_names(estimator, names) is not None


def takes_names(estimator: Estimator, names: list[str]) -> bool:
    """Return whether the estimator takes a DataFrame with these names.

    It does if it was fitted with one, or does not say what it was fitted with.
    """
    if input_names(estimator, names) is not None:
        return True
    return not says_inputs(estimator, names)


def check_inputs(estimator: Estimator, names: list[str]) -> None:
    """Raise ArtifactError unless `names` are the estimator's columns, in any order."""
    fitted_names = input_names(estimator, names) or names
    # CatBoost forgets the number in a file.
    count = read_attribute(estimator, "n_features_in_") or len(fitted_names)
    if count != len(names):
        message = f"the metadata names {len(names)} features, the model was fitted with {count}"
        raise ArtifactError(message)
    if sorted(fitted_names) != sorted(names):
        _check_names(names, fitted_names)


def check_order(estimator: Estimator, names: list[str], rows: Columns) -> None:
    """Raise ArtifactError if the estimator was fitted with the columns in another order."""
    fitted_names = input_names(estimator, names)
    if fitted_names and has_other_order(estimator, names, rows):
        _check_names(names, fitted_names)


def has_other_order(
    estimator: Estimator, names: list[str], rows: Columns
) -> bool:
    """Return whether the estimator needs the columns of the rows in another order than `names`.

    An object around an estimator may pick its columns by their names, and report those of the
    estimator inside, in an order of its own.
    """
    fitted_names = input_names(estimator, names)
    if fitted_names is None or sorted(fitted_names) != sorted(names):
        return False
    if fitted_names == names:
        return False
    return not _picks_by_name(estimator, rows, fitted_names)


def _check_names(names: list[str], fitted_names: list[str]) -> None:
    """Raise ArtifactError for the first name that is not the fitted one in its place."""
    for name, fitted_name in zip(names, fitted_names, strict=True):
        # LightGBM writes an underscore for each blank.
        with_underscores = name.replace(" ", "_")
        if fitted_name not in (name, with_underscores):
            named = f"the metadata names {shorten(name)}"
            fitted = f"the model was fitted with {shorten(fitted_name)}"
            fitted += tell_apart(name, [fitted_name])
            raise ArtifactError(f"{named} where {fitted}")


def _picks_by_name(
    estimator: Estimator, rows: Columns, fitted_names: Sequence[str]
) -> bool:
    """Return whether the columns are picked by their names, so that their order is no matter.

    Then the rows are predicted alike with the columns in another order, and otherwise where only
    the names are in another order. Whoever goes by position predicts alike in the second case.
    """
    if not is_frame(rows):
        return False
    try:
        expected = predict_all(estimator, rows)
        reordered = predict_all(estimator, rows[fitted_names])
    except Exception:
        # It wants the fitted order; estimators refuse another one with exceptions of many kinds.
        return False
    if find_difference(expected, reordered) is not None:
        return False
    renamed = rows.set_axis(fitted_names, axis=1)
    try:
        by_other_names = predict_all(estimator, renamed)
    except Exception:
        # The values of one column do not suit another.
        return True
    return find_difference(expected, by_other_names) is not None
