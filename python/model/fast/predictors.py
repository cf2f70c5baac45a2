"""Predictors: trees and linear models, computed without scikit-learn's overhead for each call.

All functions that are returned take a matrix, (n_rows, n_columns).
They return probabilities, (n_rows, n_classes), or the numbers of a regressor, (n_rows,).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.fast.copy import Outputs, Unproven
from python.model.trees import TreeModel
from python.model.types import Columns, Estimator, Matrix

LIMIT_NUMBERS = 2**21  # of the trees of a forest, at once: 16 MiB
TOLERANCE = 1e-12  # of probabilities, and of numbers relative to the largest

Form = Callable[[Matrix], Columns]
"""Gives a matrix the form in which a predictor is handed its columns."""

DENSE_FORMS: tuple[Form, ...] = (np.asfortranarray, np.ascontiguousarray)

Multiply = Callable[[Matrix, Matrix], Matrix]
"""From a matrix and coefficients, (n_columns, n_outputs) or (n_columns,), to their product."""


def form_of(columns: Columns) -> Form:
    """Return what gives a matrix the form of these columns: sparse, or by column or by row.

    The order in which a product is added up depends on it.
    """
    if hasattr(columns, "toarray"):
        return type(columns)
    array = np.asarray(columns)
    if array.flags.fnc:
        return np.asfortranarray
    return np.ascontiguousarray


def compile_predictor(
    predictor: Estimator,
    trees: TreeModel | None,
    form: Form,
) -> tuple[Outputs, Outputs]:
    """Return the predictor's `predict_proba`, or a regressor's `predict`, as two functions.

    The first is for few rows, the second for many. They may be wrong until they are proven.
    Raises exceptions of any kind for a predictor that cannot be compiled.
    """
    if hasattr(predictor, "coef_"):
        return _compile_linear(predictor, form)
    return _compile_trees(predictor, trees)


def tolerance(predictor: Estimator, trees: TreeModel | None) -> float:
    """Return by how much the outputs may differ from the estimator's.

    It is 0 for a tree and a forest, whose leaves are added up as the estimator does it.
    """
    is_boosting = trees is not None and trees.loss is not None
    if is_boosting or hasattr(predictor, "coef_"):
        return TOLERANCE
    return 0.0


def _compile_linear(
    predictor: Estimator,
    form: Form,
) -> tuple[Outputs, Outputs]:
    """Return a linear model for few and for many rows, which differ for a sparse form only."""

    def multiply(matrix: Matrix, coefficients: Matrix) -> Matrix:
        product: Matrix = form(matrix) @ coefficients
        return product

    many = compile_linear(predictor, multiply)
    if form in DENSE_FORMS:
        return many, many
    few = compile_linear(predictor, multiply_in_turn)
    return few, many


def compile_linear(predictor: Estimator, multiply: Multiply) -> Outputs:
    """Return a linear model: the link of the columns times the coefficients, and the intercept."""
    coefficients = np.asarray(predictor.coef_, dtype=float).T
    intercept = predictor.intercept_
    link = _link_of_linear(predictor, coefficients)

    def compute(matrix: Matrix) -> Matrix:
        margins = multiply(matrix, coefficients) + intercept
        return link(margins)

    if hasattr(predictor, "classes_"):
        return _as_probabilities(compute)
    return compute


def _link_of_linear(
    predictor: Estimator,
    coefficients: Matrix,
) -> Callable[[Matrix], Matrix]:
    """Return the function from margins to a regressor's numbers or a classifier's probabilities."""
    from scipy.special import expit, softmax

    def softmax_of_rows(margins: Matrix) -> Matrix:
        probabilities: Matrix = softmax(margins, axis=1)
        return probabilities

    def identity(margins: Matrix) -> Matrix:
        return margins

    if not hasattr(predictor, "classes_"):
        # A generalized linear model has a loss, and with it a link.
        loss = getattr(predictor, "_base_loss", None)
        return loss.link.inverse if loss else identity
    if coefficients.shape[1] == 1:
        return expit  # type: ignore[no-any-return]
    return softmax_of_rows


def multiply_in_turn(matrix: Matrix, coefficients: Matrix) -> Matrix:
    """Return the product, added up column after column, as scipy does for a sparse matrix.

    Where large terms cancel out, what is left depends on the order.
    """
    if coefficients.ndim > 1:
        matrix = matrix[:, :, None]
    terms = matrix * coefficients
    sums = terms.cumsum(axis=1)
    return sums[:, -1]


def _compile_trees(
    predictor: Estimator,
    trees: TreeModel | None,
) -> tuple[Outputs, Outputs]:
    """Return trees for few and for many rows, which differ for a forest only.

    Raises Unproven if the compiled trees are not the predictor's.
    """
    if trees is not None and trees.kind == "tree":
        tree = _compile_tree(predictor, trees)
        return tree, tree
    # A model without trees never needs it.
    from python.model.fast.treelite import Gtil, has_same_trees, import_trees

    model = import_trees(predictor, trees)
    if trees is None or not has_same_trees(model, trees):
        raise Unproven("the compiled copy has other trees than the estimator")
    gtil = Gtil(model, trees)
    if trees.loss is None:
        row_by_row = _in_shape(predictor, gtil)
        tree_by_tree = _compile_tree_by_tree(predictor, trees)
        return row_by_row, tree_by_tree
    with_link = _with_link(predictor, trees.loss, gtil)
    boosting = _in_shape(predictor, with_link)
    return boosting, boosting


def _compile_tree(predictor: Estimator, trees: TreeModel) -> Outputs:
    """Return the one tree."""
    (tree,) = trees.native_trees

    def predict(matrix: Matrix) -> Matrix:
        numbers = matrix.astype(np.float32)
        values: Matrix = tree.predict(numbers)
        return values

    return _in_shape(predictor, predict)


def _compile_tree_by_tree(predictor: Estimator, trees: TreeModel) -> Outputs:
    """Return the mean of a forest's trees, tree after tree as scikit-learn computes it.

    Many rows pass a tree while it is in the processor's cache.
    """
    values = np.concatenate([tree.values for tree in trees.trees])
    n_nodes = [len(tree.values) for tree in trees.trees]
    first_nodes = np.cumsum([0, *n_nodes[:-1]])[:, None]
    find_leaves = [tree.apply for tree in trees.native_trees]
    n_rows_at_once = max(1, LIMIT_NUMBERS // (len(n_nodes) * values.shape[1]))

    def add_up(numbers: NDArray[np.float32]) -> Matrix:
        leaves = np.stack([find(numbers) for find in find_leaves])
        # To take the values of all trees at once is faster than to have each tree predict.
        of_trees = values.take(leaves + first_nodes, axis=0, mode="clip")
        total = np.zeros(of_trees.shape[1:])
        for of_tree in of_trees:
            total += of_tree
        return total

    def average(matrix: Matrix) -> Matrix:
        numbers = matrix.astype(np.float32)
        totals = []
        for start in range(0, len(numbers), n_rows_at_once):
            totals.append(add_up(numbers[start : start + n_rows_at_once]))
        return np.concatenate(totals) / len(n_nodes)

    return _in_shape(predictor, average)


def _with_link(
    predictor: Estimator,
    loss: Any,
    compute_margins: Outputs,
) -> Outputs:
    """Return what turns the margins of boosting into what it predicts."""
    is_classifier = hasattr(predictor, "classes_")
    link = loss.predict_proba if is_classifier else loss.link.inverse

    def compute(matrix: Matrix) -> Matrix:
        margins = compute_margins(matrix)
        if margins.shape[1] == 1:
            margins = margins[:, 0]
        outputs: Matrix = link(margins)
        return outputs

    return compute


def _in_shape(predictor: Estimator, compute: Outputs) -> Outputs:
    """Return what computes the same in the shape of the predictor's own outputs."""
    if hasattr(predictor, "classes_"):
        return _as_probabilities(compute)

    def compute_numbers(matrix: Matrix) -> Matrix:
        numbers = compute(matrix).reshape(len(matrix), -1)
        return numbers[:, 0]

    return compute_numbers


def _as_probabilities(compute: Outputs) -> Outputs:
    """Return what computes a column for each class, also where there is one for the second of two.

    Example: [0.3, 0.9] become [[0.7, 0.3], [0.1, 0.9]].
    """

    def compute_probabilities(matrix: Matrix) -> Matrix:
        probabilities = compute(matrix).reshape(len(matrix), -1)
        if probabilities.shape[1] > 1:
            return probabilities
        of_first = 1 - probabilities
        return np.concatenate([of_first, probabilities], axis=1)

    return compute_probabilities
