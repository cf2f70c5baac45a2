"""The metadata's entries, read into features; every fault in them is one sentence."""

from collections.abc import Iterable, Mapping
from typing import Any

from python.errors import ArtifactError
from python.model.data.dtypes import read_dtype
from python.model.data.features import Feature
from python.model.data.kinds import TYPES, Category
from python.model.data.spelling import shorten, suggest

ENTRY_KEYS = (
    "name",
    "type",
    "default",
    "accepts_missing",
    "categories",
    "dtype",
)
CATEGORY_KEYS = (*ENTRY_KEYS, "ordered")

# A request holds its records under these names, so that no feature can have one of them.
RESERVED_NAMES = ("_data", "_samples")


def read_features(metadata: Mapping[str, Any]) -> list[Feature]:
    """Return the features that `metadata["features"]` describes, in their order.

    Raises ArtifactError in a sentence that names the fault.
    """
    entries = _read_entries(metadata)
    features = []
    for number, entry in enumerate(entries, start=1):
        features.append(_read_feature(entry, number))
    names = [feature.name for feature in features]
    repeated = []
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            repeated.append(name)
    if repeated:
        listed = ", ".join(map(shorten, repeated))
        raise ArtifactError(f"features listed twice: {listed}")
    return features


def _read_entries(metadata: Mapping[str, Any]) -> list[Any]:
    entries: Any = metadata.get("features")
    if hasattr(entries, "tolist"):
        entries = entries.tolist()
    is_no_list = isinstance(entries, str | bytes | Mapping)
    if isinstance(entries, Iterable) and not is_no_list:
        listed = list(entries)
        if listed:
            return listed
    raise ArtifactError(
        'metadata must be a dict with a list of features under "features"'
    )


def _read_feature(entry: Any, number: int) -> Feature:
    name = None
    if isinstance(entry, Mapping):
        name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ArtifactError(f"feature {number} {_name_fault(entry, name)}")
    plain = {}
    for key, value in entry.items():
        plain[str(key)] = _plain(value)
    kind = _read_type(name, entry)
    _check_keys(name, kind, plain)
    dtype = _read_dtype(name, kind, plain)
    if plain.get("dtype") is not None:
        plain["dtype"] = dtype  # it may have been an object of pandas
    arguments: dict[str, Any] = {
        "name": name,
        "default": plain.get("default"),
        "accepts_missing": plain.get("accepts_missing"),
        "dtype": dtype,
        "entry": plain,
    }
    categories = plain.get("categories", [])
    if not isinstance(categories, list):
        raise ArtifactError(f'feature "{name}": categories must be a list')
    if kind is Category:
        arguments["categories"] = tuple(categories)
        arguments["ordered"] = plain.get("ordered", False)
    feature = kind(**arguments)
    feature.check()
    return feature


def _name_fault(entry: Any, name: Any) -> str:
    """Return what is wrong with an entry that has no text for a name, and what to write."""
    expected = "must be a dict with a name"
    if not isinstance(entry, Mapping):
        written = f'{{"name": {shorten(str(entry))}, "type": "numeric"}}'
        return f"{expected}, such as {written}, got {shorten(entry)}"
    if name == "":
        return f"{expected}, and this one is empty: rename the column and fit again"
    if name is None:
        return expected
    advice = f"write it as a text, {shorten(str(name))}"
    return f"{expected} that is a text, got {shorten(name)}: {advice}"


def _read_type(name: str, entry: Mapping[str, Any]) -> type[Feature]:
    if name in RESERVED_NAMES:
        raise ArtifactError(
            f'feature "{name}": the name is reserved for the envelope: '
            "rename the column and fit again"
        )
    type_name = entry.get("type")
    kind = TYPES.get(str(type_name))
    if kind is None:
        expected = " or ".join(TYPES)
        fault = f"unknown type {type_name!r}, expected {expected}"
        raise ArtifactError(f'feature "{name}": {fault}')
    return kind


def _read_dtype(
    name: str, kind: type[Feature], entry: Mapping[str, Any]
) -> str | None:
    """Return the dtype of the entry, or that of a column with gaps; None for the usual one."""
    dtype = entry.get("dtype")
    if dtype is not None:
        known = read_dtype(dtype)
        if known is not None:
            return known
        fault = f"pandas knows no dtype {shorten(str(dtype))}"
        raise ArtifactError(f'feature "{name}": {fault}')
    has_default = entry.get("default") is not None
    if entry.get("accepts_missing") is True and not has_default:
        return kind.dtype_with_missing
    return None


def _check_keys(
    name: str, kind: type[Feature], entry: Mapping[str, Any]
) -> None:
    """Raise ArtifactError for a key that looks like a misspelt one; others are the user's."""
    keys = CATEGORY_KEYS if kind is Category else ENTRY_KEYS
    for key in entry.keys() - set(keys):
        suggestion = suggest(key, keys)
        if suggestion:
            raise ArtifactError(
                f'feature "{name}": unknown key "{key}"{suggestion}'
            )


def _plain(value: Any) -> Any:
    """Return the Python values in NumPy's scalars and arrays, and in pandas' indexes."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value
