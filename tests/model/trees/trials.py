"""What the tests of trees share: training data, records on which trees decide, and the comparison."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.trees import TreeModel, read_trees

N_RECORDS = 400
N_TRIALS = 1500
LARGEST = 3e38  # of float32, a little more than which scikit-learn refuses
SPECIAL = (
    0.0,
    -0.0,
    1e-35,
    -1e-35,
    float(np.float32(1e-35)),
    -float(np.float32(1e-35)),
    1e-40,
)
TASKS = ("regression", "binary", "three classes")

Matrix = NDArray[np.float64]


def data(
    task: str, *, gaps: bool = False, seed: int = 0
) -> tuple[Matrix, NDArray[Any]]:
    """Records with decimals, times in seconds, huge numbers and whole ones; and the target."""
    choose = np.random.default_rng(seed)
    columns = [
        choose.normal(size=N_RECORDS),
        choose.normal(size=N_RECORDS).round(1),
        1.7e9 + choose.integers(0, 300, N_RECORDS) + 0.25,
        choose.normal(size=N_RECORDS) * 1e30,
        choose.integers(-2, 3, N_RECORDS).astype(float),
    ]
    X = np.stack(columns, axis=1)
    scale = [1, 1, 100, 1e30, 1]
    score = (X - X.mean(axis=0)) / scale @ [1, -2, 1.5, 1, 0.5] + (
        X[:, 1] > 0
    ) * X[:, 4]
    if gaps:
        X[choose.random(X.shape) < 0.15] = np.nan
        score += np.isnan(X[:, 0]) * 2 - np.isnan(X[:, 4])
    return X, target(task, score)


def target(task: str, score: Matrix) -> NDArray[Any]:
    if task == "regression":
        return score
    n_classes = 2 if task == "binary" else 3
    return np.digitize(
        score, np.quantile(score, np.arange(1, n_classes) / n_classes)
    )


def weights(n_records: int = N_RECORDS) -> Matrix:
    return np.random.default_rng(5).uniform(0.2, 3, n_records)


def read(predictor: Any) -> TreeModel:
    model = read_trees(predictor)
    assert model is not None
    return model


def trials(model: TreeModel, X: Matrix, *, gaps: bool = False) -> Matrix:
    """Records of the data, and such that each value is a threshold, or right beside one."""
    choose = np.random.default_rng(7)
    features, thresholds = model.splits
    columns = []
    for feature in range(model.n_features):
        # Next to the largest float32 is infinity.
        with np.errstate(over="ignore"):
            values = beside(np.unique(thresholds[features == feature]))
        columns.append(
            choose.choice(np.concatenate([values, SPECIAL]), N_TRIALS)
        )
    rows = np.stack(columns, axis=1).clip(-LARGEST, LARGEST)
    if gaps:
        rows[choose.random(rows.shape) < 0.1] = np.nan
    return np.concatenate([X, rows])


def beside(values: Matrix) -> Matrix:
    """The values, and the next ones above and below in float64 and in float32."""
    values = values[np.isfinite(values)]
    near = values.astype(np.float32)
    return np.concatenate(
        [
            values,
            np.nextafter(values, np.inf),
            np.nextafter(values, -np.inf),
            near,
            np.nextafter(near, np.float32(np.inf)),
            np.nextafter(near, np.float32(-np.inf)),
            np.nextafter(
                np.nextafter(near, np.float32(np.inf)), np.float32(np.inf)
            ),
        ]
    )


def with_columns(outputs: Any) -> Matrix:
    """What an estimator gives, (n_records, n_outputs), also if that is one number for each."""
    matrix: Matrix = np.asarray(outputs, dtype=float)
    return matrix.reshape(len(matrix), -1)


def assert_covers_add_up(model: TreeModel, relative: float = 0.0) -> None:
    for tree in model.trees:
        inner = ~tree.is_leaf
        children = tree.cover[tree.left[inner]] + tree.cover[tree.right[inner]]
        np.testing.assert_allclose(tree.cover[inner], children, rtol=relative)
