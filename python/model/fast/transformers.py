"""Plans: what a pipeline does before its last step, as a few operations on a matrix."""

import copy
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import is_missing, to_dense
from python.model.data.features import Category, Numeric
from python.model.data.schema import Schema
from python.model.estimator import is_sklearns_own
from python.model.refusals import refused_rows

Matrix = NDArray[np.float64]
Plan = Callable[[Matrix], Matrix]

MATRIX_LIMIT = 2**22  # numbers in a matrix: 32 MiB

# What these make of a column depends on no other.
BY_COLUMN = {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder", "SimpleImputer"}
# What this makes of a record may depend on the others, if only on their type: a gap makes integers floats.
FUNCTION = "FunctionTransformer"

# The arithmetic of each step, in the order in which scikit-learn does it, so that every bit is the same.
STEPS: dict[str, Callable[[Any], Plan]] = {
    "StandardScaler": lambda s: _shifted_and_divided(
        s.mean_ if s.with_mean else None, s.scale_ if s.with_std else None
    ),
    "RobustScaler": lambda s: _shifted_and_divided(
        s.center_ if s.with_centering else None, s.scale_ if s.with_scaling else None
    ),
    "MaxAbsScaler": lambda s: (
        _as_it_is(s) if getattr(s, "clip", False) else lambda X: X / s.scale_
    ),
    "MinMaxScaler": lambda s: (
        _as_it_is(s) if s.clip else lambda X: X * s.scale_ + s.min_
    ),
    "SimpleImputer": lambda s: (
        (lambda X: np.where(np.isnan(X), s.statistics_, X))
        if s.indicator_ is None and is_missing(s.missing_values)
        else _as_it_is(s)
    ),
    "Pipeline": lambda s: _chained([_step(inner) for _, inner in s.steps]),
}


def compile_transformers(transformers: Sequence[Any], schema: Schema) -> Plan:
    """From coded records, (n_records, n_features), to what the predictor sees; to be proven, it may be wrong.

    Raises Exception of any kind for steps that it does not know how to follow.
    """
    if (
        transformers
        and hasattr(transformers[0], "output_indices_")
        and is_sklearns_own(transformers[0])
    ):
        return _chained(
            [_columns(transformers[0], schema), *map(_step, transformers[1:])]
        )
    if not schema.is_numeric:
        raise ValueError(
            "a feature that is not a number meets a step that takes all of them"
        )
    return _chained(list(map(_step, transformers)))


def parts(step: Any) -> list[Any]:
    """The steps of a pipeline, or the step itself."""
    return [part for _, part in step.steps] if hasattr(step, "steps") else [step]


def without_names(step: Any) -> Any:
    """A copy of the step that was fitted without names, and so takes a matrix without a warning."""
    bare = copy.copy(step)
    vars(bare).pop("feature_names_in_", None)
    return bare


def _step(step: Any) -> Plan:
    if step is None or step == "passthrough":
        return lambda X: X
    if is_sklearns_own(step) and (known := STEPS.get(type(step).__name__)):
        return known(step)
    return _as_it_is(step)


def _as_it_is(step: Any) -> Plan:
    bare = without_names(step)
    return lambda X: np.asarray(to_dense(bare.transform(X.copy())), dtype=float)


def _chained(plans: Sequence[Plan]) -> Plan:
    return reduce(_after, plans) if plans else lambda X: X


def _after(plan: Plan, then: Plan) -> Plan:
    def both(X: Matrix) -> Matrix:
        between = plan(X)
        # The sum of the squares tells at once what is true of nearly all records.
        if not np.vdot(between, between) < np.inf and np.isinf(between).any():
            raise ValueError("a step refuses an infinite value")
        return then(between)

    return both


def _shifted_and_divided(shift: Any, divisor: Any) -> Plan:
    shift = 0.0 if shift is None else shift
    return (lambda X: X - shift) if divisor is None else lambda X: (X - shift) / divisor


def _columns(transformer: Any, schema: Schema) -> Plan:
    width = max(places.stop for places in transformer.output_indices_.values())
    rows = sum(
        len(feature.categories) + 1
        for feature in schema.features
        if isinstance(feature, Category)
    )
    if rows * width > MATRIX_LIMIT:
        raise ValueError(
            f"{rows} categories that become {width} columns are too many to look up"
        )
    if transformer.transformer_weights:
        raise ValueError("weights of transformers")
    blocks: list[tuple[Any, slice, Plan]] = []
    for name, inner, _ in transformer.transformers_:
        taken = transformer._transformer_to_input_indices[name]
        if (
            len(taken) and inner != "drop"
        ):  # though it may give no column, it may refuse a value
            blocks.append(
                (
                    _sliced(taken),
                    transformer.output_indices_[name],
                    _block(inner, taken, schema),
                )
            )

    def columns(X: Matrix) -> Matrix:
        seen = np.empty((len(X), width))
        for taken, out, plan in blocks:
            seen[:, out] = plan(X[:, taken])
        return seen

    return columns


def _sliced(places: Any) -> Any:
    """The places as a slice, which is faster, where they are next to each other."""
    start, stop = (
        (int(places[0]), int(places[0]) + len(places)) if len(places) else (0, 0)
    )
    return (
        slice(start, stop) if np.array_equal(places, np.arange(start, stop)) else places
    )


def _block(inner: Any, taken: Sequence[int], schema: Schema) -> Plan:
    features = [schema.features[place] for place in taken]
    if all(isinstance(feature, Numeric) for feature in features):
        return _step(inner)
    names = [
        type(part).__name__ if is_sklearns_own(part) else FUNCTION
        for part in parts(inner)
    ]
    by_row = FUNCTION not in names
    by_column = len(taken) == 1 or all(name in BY_COLUMN for name in names)
    if (
        by_row
        and by_column
        and all(isinstance(feature, Category) for feature in features)
    ):
        return _tabulated(inner, taken, schema)
    raise ValueError(
        "a step takes features together that are not all numbers, or records that are"
    )


class Table(NamedTuple):
    """What a step makes of one feature, (n_categories + 1, n_columns), the row of a missing value at the end."""

    columns: Any
    values: Matrix
    refused: (
        NDArray[np.bool_] | None
    )  # the rows that the step refuses, where there are any


def _tabulated(inner: Any, taken: Sequence[int], schema: Schema) -> Plan:
    """What a step makes of categories, asked once for each of them and then looked up."""
    base = np.zeros((1, len(schema.features)))
    first = _asked(inner, taken, schema, base)
    tables = [_table(inner, taken, schema, place, first) for place in taken]

    def tabulated(codes: Matrix) -> Matrix:
        seen = first.repeat(len(codes), axis=0)
        places = codes.astype(np.intp)
        for number, (columns, values, refused) in enumerate(tables):
            here = places[:, number]
            if refused is not None and refused[here].any():
                raise ValueError("a step refuses this category")
            seen[:, columns] = values[here]
        return seen

    return tabulated


def _table(
    inner: Any, taken: Sequence[int], schema: Schema, place: int, first: Matrix
) -> Table:
    codes = [*range(len(schema.features[place].categories)), -1]  # type: ignore[attr-defined]
    rows = np.zeros((len(codes), len(schema.features)))
    rows[:, place] = codes
    ask = partial(_asked, inner, taken, schema)
    refused = np.isin(np.arange(len(rows)), list(refused_rows(ask, rows)))
    values = first.repeat(len(rows), axis=0)
    values[~refused] = ask(rows[~refused])
    changed = np.flatnonzero(
        ~np.isclose(values, first, rtol=0, atol=0, equal_nan=True).all(axis=0)
    )
    return Table(
        _sliced(changed), values[:, changed], refused if refused.any() else None
    )


def _asked(inner: Any, taken: Sequence[int], schema: Schema, coded: Matrix) -> Matrix:
    return np.asarray(
        to_dense(inner.transform(schema.decode(coded).iloc[:, list(taken)])),
        dtype=float,
    )
