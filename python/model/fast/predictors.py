"""Predictors: trees and linear models without scikit-learn's overhead for each call."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK = 4096
SUMS, LARGE = 256, 1e9

Matrix = NDArray[np.float64]
Outputs = Callable[[Matrix], Matrix]  # probabilities, (n_records, n_classes), or numbers, (n_records,)


class Unproven(Exception):
    """The fast answers differ from the estimator's, or there are none; says which and where."""


def compiled(predictor: Any) -> tuple[Outputs, Outputs]:
    """What the predictor's `predict_proba`, or a regressor's `predict`, answers: a way for few records, and one for many.

    To be proven, they may be wrong.
    Raises Exception of any kind for a predictor that it cannot compile.
    """
    few = _linear(predictor) if hasattr(predictor, "coef_") else _trees(predictor)
    return few, _tree_by_tree(predictor) if _is_forest(predictor) else few


def critical_rows(predictor: Any, choose: np.random.Generator) -> Iterator[Matrix]:
    """Rows on which the predictor decides, some thousands at a time, (n_rows, n_features).

    Of trees each threshold, and the floats right below and right above, in the precision in which they compare: float32, or
    float64 for histogram boosting. Of a linear model such that its sums take all values between what saturates a link, also
    as what is left of large terms: only sums in the estimator's own order leave the same.
    """
    if hasattr(predictor, "coef_"):
        coefficients = np.atleast_2d(np.asarray(predictor.coef_, dtype=float))
        sums = choose.normal(size=(SUMS, len(coefficients))) * choose.choice([0.1, 1.0, 10.0], size=(SUMS, 1))
        inverse = np.linalg.pinv(coefficients).T
        rows, aside = (sums - predictor.intercept_) @ inverse, choose.normal(size=(SUMS, coefficients.shape[1])) * LARGE
        yield np.concatenate([rows, rows + aside - (aside @ coefficients.T) @ inverse])
        return
    features, thresholds, precision = _splits(predictor)
    columns = []
    for feature in range(predictor.n_features_in_):
        values = np.unique(thresholds[(features == feature) & np.isfinite(thresholds)])
        near = values.astype(precision)
        below, above = (np.nextafter(near, precision(end)).astype(float) for end in (-np.inf, np.inf))
        columns.append(choose.permutation(np.concatenate([values, below, above])) if len(values) else np.zeros(1))
    longest = max(map(len, columns))
    for start in range(0, longest, CHUNK):
        places = np.arange(start, min(start + CHUNK, longest))
        yield np.stack([column.take(places, mode="wrap") for column in columns], axis=1)


def _splits(predictor: Any) -> tuple[NDArray[Any], NDArray[Any], Any]:
    if hasattr(predictor, "_predictors"):
        nodes = np.concatenate([tree.nodes for trees in predictor._predictors for tree in trees])
        nodes = nodes[nodes["is_leaf"] == 0]
        return nodes["feature_idx"], nodes["num_threshold"], np.float64
    trees = [part.tree_ for part in np.ravel(getattr(predictor, "estimators_", predictor))]
    inner = [tree.feature >= 0 for tree in trees]
    features = np.concatenate([tree.feature[keep] for tree, keep in zip(trees, inner, strict=True)])
    return features, np.concatenate([tree.threshold[keep] for tree, keep in zip(trees, inner, strict=True)]), np.float32


def _trees(predictor: Any) -> Outputs:
    if hasattr(predictor, "tree_"):
        return _shaped(predictor, lambda X: predictor.tree_.predict(X.astype(np.float32)))
    from python.model.fast.gtil import Gtil, imported, same  # a model without trees never needs it

    model = imported(predictor)
    if not same(model, predictor):
        raise Unproven("the compiled copy has other trees than the estimator")
    loss = getattr(predictor, "_loss", None)
    scores = Gtil(model, predictor.n_features_in_, margins=loss is not None)
    # scikit-learn's trees compare float32, and treelite must be given what they see; histogram boosting compares float64.
    seen = scores if hasattr(predictor, "_predictors") else lambda X: scores(X.astype(np.float32).astype(float))
    return _shaped(predictor, seen if loss is None else lambda X: _linked(predictor, loss, seen(X)))


def _is_forest(predictor: Any) -> bool:
    return hasattr(predictor, "estimators_") and not hasattr(predictor, "_loss")


def _tree_by_tree(predictor: Any) -> Outputs:
    """The averages of a forest, as it takes them itself: each tree stays in the processor's cache while all records pass it."""
    trees = [part.tree_ for part in predictor.estimators_]

    def averages(X: Matrix) -> Matrix:
        seen = X.astype(np.float32)
        total: Matrix = sum(tree.predict(seen) for tree in trees)
        return total / len(trees)

    return _shaped(predictor, averages)


def _linked(predictor: Any, loss: Any, scores: Matrix) -> Any:
    scores = scores[:, 0] if scores.shape[1] == 1 else scores
    return loss.predict_proba(scores) if hasattr(predictor, "classes_") else loss.link.inverse(scores)


def _linear(predictor: Any) -> Outputs:
    from scipy.special import expit, softmax

    coefficients, intercept = np.asarray(predictor.coef_, dtype=float).T, predictor.intercept_
    if not hasattr(predictor, "classes_"):
        loss = getattr(predictor, "_base_loss", None)
        return (lambda X: loss.link.inverse(X @ coefficients + intercept)) if loss else lambda X: X @ coefficients + intercept
    # The estimator's own products: in another order large terms would leave other sums.
    if coefficients.shape[1] == 1:
        return _shaped(predictor, lambda X: expit(X @ coefficients + intercept))
    return _shaped(predictor, lambda X: softmax(X @ coefficients + intercept, axis=1))


def _shaped(predictor: Any, outputs: Callable[[Matrix], Any]) -> Outputs:
    classes = len(predictor.classes_) if hasattr(predictor, "classes_") else 0

    def shaped(X: Matrix) -> Matrix:
        found: Matrix = outputs(X).reshape(len(X), -1)
        if not classes:
            return found[:, 0]
        return np.concatenate([1 - found, found], axis=1) if found.shape[1] == 1 else found

    return shaped
