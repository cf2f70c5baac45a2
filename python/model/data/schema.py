"""The schema: from a model's metadata to typed columns, with a pointer at every fault."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from python.errors import MAX_FAULTS, ArtifactError, Fault, pointer
from python.model.data.columns import as_matrix, by_column
from python.model.data.features import TYPES, Category, Feature, Numeric, String, shown
from python.model.data.records import Coded, Records, Rows

ENTRY_KEYS = ("name", "type", "default", "accepts_missing", "categories")
RESERVED = ("_data", "_samples")


class Schema:
    """The features in the order the model was fitted with."""

    def __init__(self, features: Iterable[Feature], *, named: bool = False) -> None:
        """`named` asks for columns with names, a DataFrame; otherwise they come as an array."""
        self.features = tuple(features)
        self.names = [feature.name for feature in self.features]
        self.numeric = all(isinstance(feature, Numeric) for feature in self.features)
        self.textual = any(isinstance(feature, String) for feature in self.features)
        self.named = named
        self._codes = {
            n: f.filled_codes for n, f in enumerate(self.features) if isinstance(f, Category)
        }
        self._defaults = np.array(
            [
                f.default if isinstance(f, Numeric) and f.default is not None else np.nan
                for f in self.features
            ]
        )
        self.complete = not any(feature.optional for feature in self.features)

    @classmethod
    def from_metadata(cls, metadata: Any, *, named: bool = False) -> Self:
        """The schema that `metadata["features"]` describes; raises ArtifactError in a sentence that names the fault."""
        entries = metadata.get("features") if isinstance(metadata, Mapping) else None
        if (
            isinstance(entries, str | bytes | Mapping)
            or not isinstance(entries, Iterable)
            or not (entries := list(entries))
        ):
            raise ArtifactError('metadata must be a dict with a list of features under "features"')
        features = [_feature(entry, number) for number, entry in enumerate(entries, start=1)]
        names = [feature.name for feature in features]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ArtifactError(f"features listed twice: {', '.join(map(shown, twice))}")
        return cls(features, named=named)

    def settled(self, accepts_missing: Callable[[Feature], bool]) -> Self:
        """The same schema with each feature's `accepts_missing` as the function says."""
        return type(self)(
            (replace(f, accepts_missing=accepts_missing(f)) for f in self.features),
            named=self.named,
        )

    def tolerant(self) -> Self:
        """The same schema with every value allowed to be missing."""
        return self.settled(lambda _: True)

    def record_type(self, *, reject_unknown: bool) -> type[msgspec.Struct] | None:
        """The structure of a record, for a decoder: optional values default to None.

        None for names with a quotation mark, a backslash or a control character, which a decoder cannot look for.
        """
        if any(json.dumps(name, ensure_ascii=False) != f'"{name}"' for name in self.names):
            return None
        fields = [f"f{number}" for number in range(len(self.features))]
        return msgspec.defstruct(
            "Record",
            [
                (field, feature.accepts | None, None)
                if feature.optional
                else (field, feature.accepts)
                for field, feature in zip(fields, self.features, strict=True)
            ],
            rename=dict(zip(fields, self.names, strict=True)),
            kw_only=True,
            forbid_unknown_fields=reject_unknown,
            gc=False,
        )

    def columns(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        """Typed columns from rows of values in the features' order, None being absent.

        (n_records, n_features): a DataFrame of float64, categorical and object columns if names are asked for, otherwise an
        array, float64 where all features are numeric. Raises KeyError for an unknown category.
        """
        return Records(self.read(rows)).columns

    def read(self, rows: Sequence[tuple[Any, ...]]) -> Coded | Rows:
        """The same, not made yet: `Coded` where no feature is a string; raises KeyError for an unknown category."""
        columns = list(zip(*rows, strict=True)) if self._codes else []
        for number, codes in self._codes.items() if columns else ():
            columns[number] = tuple(map(codes.__getitem__, columns[number]))
        if self.textual:
            return Rows(rows, self)
        return Coded(self._matrix(list(zip(*columns, strict=True)) if columns else rows), self)

    def typed(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        """The columns of rows that have been read."""
        values = zip(*rows, strict=True) if rows else ((),) * len(self.features)
        return self._framed(
            {f.name: f.column(column) for f, column in zip(self.features, values, strict=True)}
        )

    def coded(self, columns: Any) -> NDArray[np.float64]:
        """The numbers that stand for columns, (n_records, n_features); raises ValueError where something else is among them."""
        if self.numeric:
            return as_matrix(columns).astype(float)
        pairs = zip(self.features, by_column(columns), strict=True)
        return np.stack(
            [
                f.coded(c) if isinstance(f, Category) else np.asarray(c, dtype=float)
                for f, c in pairs
            ],
            axis=1,
        ).astype(float)

    def framed(self, coded: NDArray[np.float64]) -> Any:
        """The columns that a coded matrix, (n_records, n_features), stands for."""
        if self.numeric:
            return self._framed(coded)
        pairs = zip(self.features, coded.T, strict=True)
        return self._framed(
            {
                f.name: f.decoded(column) if isinstance(f, Category) else column
                for f, column in pairs
            }
        )

    def _framed(self, columns: Any) -> Any:
        if self.numeric and not self.named:
            return columns
        import pandas as pd  # a model of numbers alone never needs it

        frame = pd.DataFrame(columns, columns=self.names, copy=False)
        return frame if self.named else frame.to_numpy(dtype=object)

    def _matrix(self, rows: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
        if self.complete:
            shape = (len(rows), len(self.features))
            return np.fromiter(chain.from_iterable(rows), float, count=shape[0] * shape[1]).reshape(
                shape
            )
        matrix = np.array(rows, dtype=float).reshape(len(rows), -1)
        return np.where(np.isnan(matrix), self._defaults, matrix)

    def records(self, payload: Any, at: tuple[str | int, ...] = ()) -> Records:
        """The columns of a record or a list of records without faults, as Python values."""
        single = isinstance(payload, Mapping)
        rows = [tuple(map(record.get, self.names)) for record in ([payload] if single else payload)]
        return Records(self.read(rows), at, single)

    def example(self) -> dict[str, Any]:
        """A record made up from the metadata."""
        return {feature.name: feature.example for feature in self.features}

    def faults(
        self, payload: Any, at: tuple[str | int, ...] = (), *, reject_unknown: bool
    ) -> list[Fault]:
        """Everything in a record or a list of records that does not fit, at most 100, with pointers that start at `at`."""
        single = not isinstance(payload, list)
        found = chain.from_iterable(
            self._record_faults(record, at if single else (*at, row), reject_unknown)
            for row, record in enumerate([payload] if single else payload)
        )
        return list(islice(found, MAX_FAULTS))

    def _record_faults(
        self, record: Any, at: tuple[str | int, ...], reject_unknown: bool
    ) -> Iterator[Fault]:
        if not isinstance(record, dict):
            yield Fault(pointer(*at), f"expected a record (an object), got {shown(record)}")
            return
        if not record.keys() & set(self.names) and not (record and reject_unknown):
            yield Fault(pointer(*at), "the record holds none of the model's features")
            return
        for name in record:
            if reject_unknown and name not in self.names:
                yield Fault(pointer(*at, name), "unknown feature" + _suggestion(name, self.names))
        for feature in self.features:
            if detail := feature.fault(record.get(feature.name)):
                yield Fault(pointer(*at, feature.name), detail)


def _feature(entry: Any, number: int) -> Feature:
    if (
        not isinstance(entry, Mapping)
        or not isinstance(entry.get("name"), str)
        or not entry["name"]
    ):
        raise ArtifactError(f"feature {number} must be a dict with a name")
    name = entry["name"]
    if name in RESERVED:
        raise ArtifactError(f'feature "{name}": the name is reserved for the envelope')
    kind = TYPES.get(str(entry.get("type")))
    if kind is None:
        raise ArtifactError(
            f'feature "{name}": unknown type {entry.get("type")!r}, expected {" or ".join(TYPES)}'
        )
    for key in entry.keys() - set(ENTRY_KEYS):
        if suggestion := _suggestion(str(key), ENTRY_KEYS):
            raise ArtifactError(f'feature "{name}": unknown key "{key}"{suggestion}')
    plain = {str(key): _python_value(value) for key, value in entry.items()}
    if not isinstance(plain.get("categories", []), list):
        raise ArtifactError(f'feature "{name}": categories must be a list')
    extra = {"categories": tuple(plain.get("categories", ()))} if kind is Category else {}
    feature = kind(
        name=name,
        default=plain.get("default"),
        accepts_missing=plain.get("accepts_missing"),
        entry=plain,
        **extra,
    )
    feature.check()
    return feature


def _python_value(value: Any) -> Any:
    """NumPy's scalars and arrays, and pandas' indexes, as the Python values they hold."""
    if isinstance(value, list | tuple):
        return [_python_value(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _suggestion(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
