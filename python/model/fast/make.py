"""Make a copy: compile it, prove it on trials, and time it beside the estimator."""

from functools import partial
from math import ceil
from pathlib import Path

import numpy as np

from python.model.data.forms import FormedEstimator
from python.model.data.schema import Schema
from python.model.estimator import Steps, is_sklearns_own, layers
from python.model.fast.copy import Copy, Unproven
from python.model.fast.predictors import compile_predictor, form_of
from python.model.fast.proof import Original, prove
from python.model.fast.timing import with_limits
from python.model.fast.transformers import compile_transformers
from python.model.fast.trials import made_up_codes, rows_at_once
from python.model.fast.verdicts import Verdict
from python.model.fast.vocabulary import with_vocabularies
from python.model.trees import read_trees
from python.model.types import Columns, Estimator
from python.model.verdicts import judge_once

SEED = 0


def make_copy(
    estimator: Estimator,
    steps: Steps,
    schema: Schema,
    samples: Columns,
    verdict_path: Path | None = None,
) -> Copy:
    """Return a copy of the estimator that is proven to compute the same, and faster.

    `samples` are rows that the estimator takes.
    The file at `verdict_path` is for what was proven: other processes take it from there.
    Raises Unproven where the copy differs, and exceptions of any kind where there can be none.
    """
    copy, original = compile_copy(estimator, steps, schema, samples)

    def prove_copy() -> Copy:
        return _prove(copy, original, samples)

    judge = partial(Verdict.of, prove_copy)
    return judge_once(verdict_path, Verdict, judge).apply(copy)


def _prove(copy: Copy, original: Original, samples: Columns) -> Copy:
    """Return the copy, proven and with its limits; raise Unproven."""
    choose = np.random.default_rng(SEED)
    with np.errstate(all="ignore"):
        codes = copy.schema.encode_columns(samples)
        made_up = made_up_codes(copy.schema, choose)
        trials = np.concatenate([codes, made_up])
        # Only every `step`-th trial where all of them would need gigabytes, as for a wide model.
        step = ceil(len(trials) / original.rows_at_once)
        trials = trials[::step]
        copy, accepted = prove(copy, original, trials, choose)
        return with_limits(copy, original, accepted)


def compile_copy(
    estimator: Estimator,
    steps: Steps,
    schema: Schema,
    samples: Columns,
) -> tuple[Copy, Original]:
    """Return a copy that may be wrong, and the original with which to compare it.

    Raises exceptions of any kind for an estimator that cannot be compiled.
    """
    predictor = steps.predictor
    if isinstance(estimator, FormedEstimator):
        raise Unproven(_why_left(schema))
    _check_own([*layers(estimator), predictor])
    schema = with_vocabularies(schema, steps)
    classes = getattr(estimator, "classes_", None)
    method = "predict" if classes is None else "predict_proba"
    getattr(estimator, method)  # raises AttributeError where there is none
    transform = compile_transformers(steps.transformers, schema)

    codes = schema.encode_columns(samples)
    # One row would be by column and by row at once.
    two_rows = schema.decode(codes[[0, 0]])
    inputs = steps.transform_sparse(two_rows)
    form = form_of(inputs)
    trees = read_trees(predictor)
    few, many = compile_predictor(predictor, trees, form)

    copy = Copy(
        method=method,
        classes=classes,
        schema=schema,
        transform=transform,
        few=few,
        many=many,
        # A decision function decides by margins, and near ties are left to it.
        exact_labels=not hasattr(predictor, "decision_function"),
    )
    original = Original(
        estimator=estimator,
        steps=steps,
        trees=trees,
        schema=schema,
        method=method,
        form=form,
        rows_at_once=rows_at_once(_width(schema, predictor)),
    )
    return copy, original


def _why_left(schema: Schema) -> str:
    """Return why nothing but the estimator takes what is made of the columns."""
    if schema.has_codes:
        return "what it takes is no table, and is left to the estimator"
    return "text is left to the estimator"


def _check_own(layers: list[Estimator]) -> None:
    """Raise ValueError for a layer that is not scikit-learn's own."""
    for layer in layers:
        if is_sklearns_own(layer):
            continue
        name = type(layer).__name__
        raise ValueError(
            f"{name} is not scikit-learn's own, and may answer as it likes"
        )


def _width(schema: Schema, predictor: Estimator) -> int:
    """Return the numbers of the widest row that is made of one record."""
    coefficients = getattr(predictor, "coef_", 0)
    n_features = len(schema.features)
    n_columns = int(predictor.n_features_in_)
    return max(n_features, n_columns, np.size(coefficients))
