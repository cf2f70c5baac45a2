"""Milliseconds for the values of trees against 100 rows, beside shap: `python -m benchmarks.long_paths`.

Forests of few and of many leaves: the paths of the first have tables, those of the others do not.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import shap
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from python.model.explain.interventional import Interventional
from python.model.explain.paths import Paths
from python.model.trees import read_trees
from python.model.trees.ensemble import TreeModel
from python.model.types import Matrix

N_ROWS = 4000
N_FEATURES = 30
N_BACKGROUND = 100
N_RECORDS = (1, 100)
ROUNDS = 3
DIGIT_BELOW = 10  # milliseconds: from there on, tenths tell nothing


def forests() -> Iterator[tuple[str, Any, Matrix]]:
    """Yield what each forest is called, the forest, and the rows that it was fitted with."""
    random = np.random.default_rng(0)
    cancer = load_breast_cancer()
    shallow = RandomForestClassifier(100, max_depth=10, random_state=0)
    shallow.fit(cancer.data, cancer.target)
    yield "depth 10", shallow, cancer.data
    rows = random.normal(size=(N_ROWS, N_FEATURES))
    noisy = rows[:, :5].sum(axis=1) + random.normal(size=N_ROWS)
    for name, depth in (("depth 10, noisy", 10), ("no limit, noisy", None)):
        forest = RandomForestClassifier(100, max_depth=depth, random_state=0)
        yield name, forest.fit(rows, noisy > 0), rows
    numbers = RandomForestRegressor(100, random_state=0)
    yield "no limit, noisy numbers", numbers.fit(rows, noisy), rows


def measure(call: Callable[[Matrix], object], rows: Matrix) -> float:
    """Return the median milliseconds of a call with the rows."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call(rows)
        seconds.append(time.perf_counter() - start)
    return median(seconds) * 1e3


def compare(name: str, forest: Any, rows: Matrix) -> Iterator[str]:
    """Yield a row of the table for the background, and for each number of records."""
    trees = read_trees(forest)
    if trees is None:
        raise ValueError(f"{name}: the trees cannot be read")
    paths = Paths.of(trees, np.arange(N_FEATURES))
    if paths is None:
        raise ValueError(f"{name}: the paths are too many")
    background = rows[:N_BACKGROUND]
    prepare = partial(Interventional, paths, N_FEATURES)
    known = prepare(trees.numbers(background))
    explainer = shap.TreeExplainer(forest, background)
    own = partial(explain, trees, known)
    shaps = partial(explainer.shap_values, check_additivity=False)
    start = f"| {name} | {len(paths.leaves.numbers):,} |"
    figures = (
        measure(prepare, trees.numbers(background)),
        measure(partial(shap.TreeExplainer, forest), background),
    )
    yield f"{start} none: to prepare for the background | {cells(figures)} |"
    for n_records in N_RECORDS:
        records = rows[-n_records:]
        figures = (measure(own, records), measure(shaps, records))
        yield f"{start} {n_records} | {cells(figures)} |"


def cells(figures: tuple[float, float]) -> str:
    """Return the cells of the table for two numbers of milliseconds."""
    texts = [
        f"{figure:,.{1 if figure < DIGIT_BELOW else 0}f}" for figure in figures
    ]
    return " | ".join(texts)


def explain(
    trees: TreeModel, known: Interventional, records: Matrix
) -> Matrix:
    """Return the values of records, as the service computes them."""
    return known.values(trees.numbers(records))


def main() -> None:
    """Print a row for each forest and number of records."""
    print("| Forest | Leaves | Records | Service, ms | shap, ms |")
    print("| --- | --: | --: | --: | --: |")
    for name, forest, rows in forests():
        for line in compare(name, forest, rows):
            print(line)


if __name__ == "__main__":
    main()
