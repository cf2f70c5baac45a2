"""Predictors: trees and linear models without scikit-learn's overhead for each call."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-12  # of probabilities, and of numbers relative to the largest

Matrix = NDArray[np.float64]
Outputs = Callable[
    [Matrix], Matrix
]  # probabilities, (n_records, n_classes), or numbers, (n_records,)
Form = Callable[[Matrix], Any]


class Unproven(Exception):
    """The fast answers differ from the estimator's, or there are none; says which and where."""


def form_of(handed: Any) -> Form:
    """What gives a matrix the form of the columns that a predictor is handed, on which it depends how a product is added up."""
    if hasattr(handed, "toarray"):
        return type(handed)
    return np.asfortranarray if np.asarray(handed).flags.fnc else np.ascontiguousarray


def compile_predictor(predictor: Any, form: Form) -> tuple[Outputs, Outputs]:
    """What the predictor's `predict_proba`, or a regressor's `predict`, answers: a way for few records, and one for many.

    To be proven, they may be wrong.
    Raises Exception of any kind for a predictor that it cannot compile.
    """
    if hasattr(predictor, "coef_"):
        many = _linear(predictor, lambda X, coefficients: form(X) @ coefficients)
        return (
            many
            if form in (np.asfortranarray, np.ascontiguousarray)
            else _linear(predictor, _in_turn)
        ), many
    few = _trees(predictor)
    return few, _tree_by_tree(predictor) if _is_forest(predictor) else few


def tolerance(predictor: Any) -> float:
    """By how much the answers may differ: not at all where no sums of numbers with long fractions are taken in another way."""
    return (
        TOLERANCE if hasattr(predictor, "coef_") or hasattr(predictor, "_loss") else 0.0
    )


def _trees(predictor: Any) -> Outputs:
    if hasattr(predictor, "tree_"):
        return _shaped(
            predictor, lambda X: predictor.tree_.predict(X.astype(np.float32))
        )
    from python.model.fast.treelite import (  # a model without trees never needs it
        Gtil,
        imported,
        same,
    )

    model = imported(predictor)
    if not same(model, predictor):
        raise Unproven("the compiled copy has other trees than the estimator")
    loss = getattr(predictor, "_loss", None)
    scores = Gtil(model, predictor.n_features_in_, margins=loss is not None)
    # scikit-learn's trees compare float32, and treelite must be given what they see; histogram boosting compares float64.
    seen = (
        scores
        if hasattr(predictor, "_predictors")
        else lambda X: scores(X.astype(np.float32).astype(float))
    )
    return _shaped(
        predictor, seen if loss is None else lambda X: _linked(predictor, loss, seen(X))
    )


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
    return (
        loss.predict_proba(scores)
        if hasattr(predictor, "classes_")
        else loss.link.inverse(scores)
    )


def _linear(predictor: Any, product: Callable[[Matrix, Matrix], Matrix]) -> Outputs:
    from scipy.special import expit, softmax

    coefficients, intercept = (
        np.asarray(predictor.coef_, dtype=float).T,
        predictor.intercept_,
    )
    if not hasattr(predictor, "classes_"):
        loss = getattr(predictor, "_base_loss", None)
        inverse = loss.link.inverse if loss else lambda scores: scores
        return lambda X: inverse(product(X, coefficients) + intercept)
    if coefficients.shape[1] == 1:
        return _shaped(predictor, lambda X: expit(product(X, coefficients) + intercept))
    return _shaped(
        predictor, lambda X: softmax(product(X, coefficients) + intercept, axis=1)
    )


def _in_turn(X: Matrix, coefficients: Matrix) -> Matrix:
    """The product, added up column after column, as scipy does for a sparse matrix; large terms show the order."""
    terms = X * coefficients if coefficients.ndim == 1 else X[:, :, None] * coefficients
    return terms.cumsum(axis=1)[:, -1]


def _shaped(predictor: Any, outputs: Callable[[Matrix], Any]) -> Outputs:
    classes = len(predictor.classes_) if hasattr(predictor, "classes_") else 0

    def shaped(X: Matrix) -> Matrix:
        found: Matrix = outputs(X).reshape(len(X), -1)
        if not classes:
            return found[:, 0]
        return (
            np.concatenate([1 - found, found], axis=1) if found.shape[1] == 1 else found
        )

    return shaped
