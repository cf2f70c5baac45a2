"""The training mean: that of the columns which a predictor takes, where transformers remember it.

A linear model is explained against the mean of its columns alone, and not against rows. Where a
scaler has put that mean at 0, nobody needs to send rows to find it.

Example: a column transformer scales size and weight. Their means in the training data were 180 and
75, so the predictor takes columns whose means are 0 and 0. With a one-hot encoder beside them,
nothing is known: it keeps its categories, and not how many rows had which.
"""

from collections.abc import Callable

import numpy as np

from python.model.estimator import is_sklearns_own
from python.model.types import Matrix, Transformer


def read_training_mean(transformers: list[Transformer]) -> Matrix | None:
    """Return the mean of each column that the last transformer makes, (n_columns,).

    It is over the data that the transformers were fitted with. None where they do not tell.
    """
    if not transformers:
        return None
    last = transformers[-1]
    # A class of somebody else's may bear the same name, and a subclass may do anything.
    if not is_sklearns_own(last):
        return None
    read = READERS.get(type(last).__name__)
    return None if read is None else read(last)


def _of_scaler(scaler: Transformer) -> Matrix | None:
    if scaler.with_mean:
        return np.zeros(scaler.n_features_in_)
    if scaler.mean_ is None:
        return None
    return np.asarray(scaler.mean_ / scaler.scale_)


def _of_imputer(imputer: Transformer) -> Matrix | None:
    """Return what it puts in place of missing values, if that is the mean of the others."""
    if imputer.strategy != "mean" or imputer.add_indicator:
        return None
    means = np.asarray(imputer.statistics_, dtype=float)
    # A column without any value has no mean, and is left out.
    return None if np.isnan(means).any() else means


def _of_pipeline(pipeline: Transformer) -> Matrix | None:
    return read_training_mean([step for _, step in pipeline.steps])


def _of_column_transformer(transformer: Transformer) -> Matrix | None:
    parts = {name: part for name, part, _ in transformer.transformers_}
    outputs = transformer.output_indices_
    means = []
    for name in sorted(outputs, key=lambda name: outputs[name].start):
        if outputs[name].start == outputs[name].stop:
            continue
        of_part = read_training_mean([parts[name]])
        if of_part is None:
            return None
        means.append(of_part)
    return np.concatenate(means) if means else None


READERS: dict[str, Callable[[Transformer], Matrix | None]] = {
    "StandardScaler": _of_scaler,
    "SimpleImputer": _of_imputer,
    "Pipeline": _of_pipeline,
    "ColumnTransformer": _of_column_transformer,
}
"""By the names of scikit-learn's transformers."""
