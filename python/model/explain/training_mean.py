"""The training mean: that of the columns which a predictor takes, where a scaler remembers it.

A linear model is explained against the mean of its columns alone, and not against rows. Where a
scaler has put that mean at 0, nobody needs to send rows to find it. Other models are explained
against the record whose columns these means are, which is led back through the transformers.

Example: a column transformer scales size and weight. Their means in the training data were 180 and
75, so the predictor takes columns whose means are 0 and 0. With a one-hot encoder beside them,
nothing is known: it keeps its categories, and not how many rows had which.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from python.model.data.columns import is_frame, slice_rows, to_array
from python.model.data.spelling import one_line
from python.model.estimator import Steps, find_nested, is_sklearns_own
from python.model.explain.origins import list_column_parts
from python.model.types import Columns, Matrix, Transformer

log = logging.getLogger(__name__)

# In training it makes other columns than afterwards, each from the targets of other rows.
CROSS_FITTED = "TargetEncoder"
# A value that was led back and forth differs by rounding alone.
ROUNDING = 1e-9


def read_training_mean(transformers: Sequence[Transformer]) -> Matrix | None:
    """Return the mean of each column that the last transformer makes, (n_columns,).

    It is over the data that the scalers were fitted with. None where they do not tell.
    Of the earlier transformers only that matters that they made the same columns in training.
    """
    if not transformers:
        return None
    *earlier, last = transformers
    if not all(map(_transforms_alike, earlier)) or not is_sklearns_own(last):
        return None
    read = READERS.get(type(last).__name__)
    return None if read is None else read(last)


def _transforms_alike(transformer: Transformer) -> bool:
    """Return whether a step made the same columns in training: a scaler after it saw these.

    Libraries have encoders that do not, and nobody knows what a class of the user's own does.
    """
    for nested in find_nested(transformer):
        if type(nested).__name__ == CROSS_FITTED:
            return False
        if hasattr(nested, "fit_transform") and not is_sklearns_own(nested):
            return False
    return True


def _of_scaler(scaler: Transformer) -> Matrix | None:
    if scaler.with_mean:
        return np.zeros(scaler.n_features_in_)
    if scaler.mean_ is None:
        return None
    return np.asarray(scaler.mean_ / scaler.scale_)


def _of_pipeline(pipeline: Transformer) -> Matrix | None:
    return read_training_mean([step for _, step in pipeline.steps])


def _of_column_transformer(transformer: Transformer) -> Matrix | None:
    """Return the means of the parts side by side, if each of them tells its own."""
    if transformer.transformer_weights:
        return None
    means = []
    for _, part in list_column_parts(transformer):
        of_part = read_training_mean([part])
        if of_part is None:
            return None
        means.append(of_part)
    return np.concatenate(means) if means else None


READERS: dict[str, Callable[[Transformer], Matrix | None]] = {
    "StandardScaler": _of_scaler,
    "Pipeline": _of_pipeline,
    "ColumnTransformer": _of_column_transformer,
}
"""By the names of scikit-learn's transformers.

A SimpleImputer keeps a mean, too, but sums float32 in float32: of 300,000 years it is off by four.
"""


def find_mean_record(steps: Steps, probes: Columns) -> Columns | None:
    """Return the record whose columns are the training means, one row; None where none is found.

    The predictor takes each of these means for the record, but for rounding.
    A feature that reaches no column has the value of the first of the probes.
    """
    mean = read_training_mean(steps.transformers)
    if mean is None:
        return None
    try:
        record = _make_record(steps, slice_rows(probes, 0, 1), mean)
        return record if _has_means(steps, record, mean) else None
    except Exception as error:
        # Transformers that lead back raise what they like, and so do those that lead forth.
        log.info("there is no mean record: %s", one_line(error))
        return None


def _make_record(steps: Steps, probe: Columns, mean: Matrix) -> Columns:
    values = _lead_back(steps.transformers, mean, to_array(probe)[0])
    return _with_values(probe, values)


def _has_means(steps: Steps, record: Columns, mean: Matrix) -> bool:
    columns = to_array(steps.transform(record)).astype(float)[0]
    return np.allclose(columns, mean, rtol=ROUNDING, atol=ROUNDING)


def _lead_back(
    transformers: Sequence[Transformer], columns: Any, before: Any
) -> Any:
    """Return what the first transformer makes the columns of, (n_columns,).

    What reaches no column stays as it was `before`.
    """
    for number in reversed(range(len(transformers))):
        transformer = transformers[number]
        if hasattr(transformer, "steps"):
            parts = [step for _, step in transformer.steps]
            columns = _lead_back(parts, columns, before)
        elif hasattr(transformer, "output_indices_"):
            columns = _lead_parts_back(transformer, columns, before)
        else:
            columns = _invert(transformer, columns)
    return columns


def _invert(transformer: Transformer, columns: Any) -> Any:
    try:
        (inverted,) = transformer.inverse_transform(columns[None])
    except (AttributeError, ValueError):
        # An imputer lets numbers pass. Whether this is one, the record will show.
        return columns
    return inverted


def _lead_parts_back(
    transformer: Transformer, columns: Any, before: Any
) -> Any:
    """Return the input of a column transformer, put together from those of its parts."""
    values = np.array(before, dtype=object)
    inputs = transformer._transformer_to_input_indices
    for name, part in list_column_parts(transformer):
        of_part = columns[transformer.output_indices_[name]]
        values[inputs[name]] = _lead_back([part], of_part, before)
    return values


def _with_values(row: Columns, values: Any) -> Columns:
    """Return the row with other values, (n_features,), which are numbers where they differ."""
    if not is_frame(row):
        return values.astype(float)[None]
    changed = row.copy()
    for number, value in enumerate(values):
        if value != row.iat[0, number]:
            changed.isetitem(number, [float(value)])
    return changed
