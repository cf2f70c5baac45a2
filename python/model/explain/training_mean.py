"""The training mean: that of the columns which a predictor takes, where a scaler remembers it.

A linear model is explained against the mean of its columns alone, and not against rows. Where a
scaler has put that mean at 0, nobody needs to send rows to find it.

Example: a column transformer scales size and weight. Their means in the training data were 180 and
75, so the predictor takes columns whose means are 0 and 0. With a one-hot encoder beside them,
nothing is known: it keeps its categories, and not how many rows had which.
"""

from collections.abc import Callable, Sequence

import numpy as np

from python.model.estimator import find_nested, is_sklearns_own
from python.model.explain.origins import list_column_parts
from python.model.types import Matrix, Transformer

# In training it makes other columns than afterwards, each from the targets of other rows.
CROSS_FITTED = "TargetEncoder"


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
