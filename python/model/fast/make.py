"""How a copy is made: compiled, proven on trials, and timed beside the estimator."""

import numpy as np

from python.model.data.schema import Schema
from python.model.estimator import Steps, is_sklearns_own, layers
from python.model.fast.copy import Copy
from python.model.fast.predictors import compile_predictor, form_of
from python.model.fast.proof import Original, prove
from python.model.fast.timing import with_limits
from python.model.fast.transformers import compile_transformers
from python.model.fast.trials import made_up_codes, rows_at_once
from python.model.fast.vocabulary import with_vocabularies
from python.model.types import Columns, Estimator

SEED = 0


def make_copy(
    estimator: Estimator, steps: Steps, schema: Schema, samples: Columns
) -> Copy:
    """Return a copy of the estimator that is proven to compute the same, and faster.

    `samples` are rows that the estimator takes.
    Raises Unproven where the copy differs, and exceptions of any kind where there can be none.
    """
    copy, original = compile_copy(estimator, steps, schema, samples)
    choose = np.random.default_rng(SEED)
    with np.errstate(all="ignore"):
        codes = copy.schema.encode_columns(samples)
        trials = np.concatenate([codes, made_up_codes(copy.schema, choose)])
        # Every so many of them, so that wide models do not need gigabytes.
        trials = trials[:: -(-len(trials) // original.rows_at_once)]
        copy, accepted = prove(copy, original, trials, choose)
        return with_limits(copy, original, accepted)


def compile_copy(
    estimator: Estimator, steps: Steps, schema: Schema, samples: Columns
) -> tuple[Copy, Original]:
    """Return a copy that may be wrong, and the original with which to compare it.

    Raises exceptions of any kind for an estimator that cannot be compiled.
    """
    predictor = steps.predictor
    for layer in (*layers(estimator), predictor):
        if not is_sklearns_own(layer):
            name = type(layer).__name__
            raise ValueError(
                f"{name} is not scikit-learn's own, and may answer as it likes"
            )
    schema = with_vocabularies(schema, steps)
    classes = getattr(estimator, "classes_", None)
    method = "predict" if classes is None else "predict_proba"
    getattr(estimator, method)  # raises AttributeError where there is none
    transform = compile_transformers(steps.transformers, schema)
    two_rows = schema.decode(schema.encode_columns(samples)[[0, 0]])
    form = form_of(steps.transform_sparse(two_rows))
    few, many = compile_predictor(predictor, form)
    # Where something else decides, near ties are the estimator's.
    exact_labels = not hasattr(predictor, "decision_function")
    copy = Copy(method, classes, schema, transform, few, many, exact_labels)
    n_coefficients = np.size(getattr(predictor, "coef_", 0))
    width = max(len(schema.features), predictor.n_features_in_, n_coefficients)
    return copy, Original(estimator, steps, schema, method, form, rows_at_once(width))
