"""Ways to SHAP values, each exact where it applies; the only module that imports shap.

Each takes the columns that the predictor sees and gives values, (n_records, n_columns) or with classes
(n_records, n_columns, n_classes), and the base value, () or (n_classes,). What they add up to, `explain` finds out.
Of two classes it is the second that is explained.
"""

import logging
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import to_array
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.tree_paths import Paths

log = logging.getLogger(__name__)

# Above it shap 0.51, the last one for Python 3.11, kills the process when there is a background.
MAX_NODES_WITH_BACKGROUND = 32_767
N_BOUNDS = 16


def trees(predictor: Any, background: Any = None) -> Attribute | None:
    """What shap's TreeExplainer says of the trees of scikit-learn, and with a background also of those of LightGBM and XGBoost.

    Without a background the values follow the paths of the trees; with one they are interventional (Lundberg et al. 2020,
    doi:10.1038/s42256-019-0138-9). They explain what the trees add up to: shap's values for the probability of a boosting
    model are not its Shapley values. CatBoost's trees are left out: shap's reader of them can end the process. So are, with a
    background, those of histogram boosting: shap rounds their thresholds to float32.
    """
    if background is None:
        if not _is_of_sklearn(predictor):
            return None
        data: dict[str, Any] = {"feature_perturbation": "tree_path_dependent"}
    elif not _takes_background(predictor):
        return None
    else:
        data = {
            "data": _masker(_as_read(predictor, background)),
            "feature_perturbation": "interventional",
        }
    import shap

    explainer = shap.TreeExplainer(predictor, **data)

    def by_shap(matrix: NDArray[Any]) -> Attribution:
        values = explainer.shap_values(matrix, check_additivity=False)
        # The expected value may be another one before the first call.
        return _second_of_two(
            np.asarray(values, dtype=float),
            np.ravel(np.asarray(explainer.expected_value, dtype=float)),
        )

    way = (
        by_shap
        if background is not None
        else _faster(predictor, explainer.model, by_shap)
    )
    return lambda columns: way(_as_read(predictor, columns))


def _faster(predictor: Any, ensemble: Any, by_shap: Attribute) -> Attribute:
    """What shap computes for its reading of the trees, in less time where a way to it is proven; else shap itself."""
    for make in (_looked_up, _by_shapiq):
        try:
            way = make(predictor, ensemble)
            bounds = _as_read(predictor, _bounds(ensemble, predictor.n_features_in_))
            if all(
                np.allclose(*pair, rtol=1e-9, atol=1e-12)
                for pair in zip(way(bounds), by_shap(bounds), strict=True)
            ):
                return way
            log.debug("%s gives other values than shap", make.__name__)
        except Exception as reason:  # shapiq, too, refuses what it does not know with exceptions of many kinds
            log.debug("%s does not apply: %s", make.__name__, reason)
    return by_shap


def _bounds(ensemble: Any, n_features: int) -> NDArray[np.float64]:
    """Records on which the splits decide, (N_BOUNDS, n_features): each value is a threshold, or one in eight missing."""
    choose, split = (
        np.random.default_rng(0),
        (ensemble.children_left >= 0) & np.isfinite(ensemble.thresholds),
    )
    features, order = ensemble.features[split], np.argsort(ensemble.features[split])
    known = np.split(
        ensemble.thresholds[split][order],
        np.searchsorted(features[order], range(1, n_features)),
    )
    records = np.stack(
        [choose.choice(values if len(values) else [0.0], N_BOUNDS) for values in known],
        axis=1,
    )
    return np.where(choose.random(records.shape) < 1 / 8, np.nan, records)


def _looked_up(predictor: Any, ensemble: Any) -> Attribute:
    """Raises Exception of any kind where the paths of the trees are too many, or too long."""
    paths = Paths(ensemble, predictor.n_features_in_)
    return lambda matrix: _squeezed(*paths(matrix.astype(float)))


def _by_shapiq(predictor: Any, _: Any) -> Attribute:
    """shapiq's TreeExplainer, for deep trees (Muschalik et al. 2024, arXiv:2401.12069).

    It explains one class at a time; several at once shap explains as fast. Raises ImportError where it is not installed,
    ValueError for several classes.
    """
    from shapiq import TreeExplainer

    if len(getattr(predictor, "classes_", ())) > 2:
        raise ValueError("several classes")
    explainer = TreeExplainer(predictor, max_order=1, index="SV", class_index=1)
    lock = Lock()  # it keeps what it computes in itself

    def way(matrix: NDArray[Any]) -> Attribution:
        with lock:
            found = [
                explainer.explain(record).get_n_order_values(1) for record in matrix
            ]
        return Attribution(
            np.array(found), np.asarray(explainer.baseline_value, dtype=float)
        )

    return way


def linear(predictor: Any, background: Any) -> Attribute | None:
    """The closed form for a linear model of independent features, against the mean of the background.

    Strumbelj and Kononenko 2014 (doi:10.1007/s10115-013-0679-x): coefficient times distance from the mean.
    """
    if not hasattr(predictor, "coef_") or not hasattr(predictor, "intercept_"):
        return None
    coefficients = np.atleast_2d(np.asarray(predictor.coef_, dtype=float))
    mean = to_array(background).astype(float).mean(axis=0)
    base = np.ravel(predictor.intercept_) + coefficients @ mean

    def way(columns: Any) -> Attribution:
        distance = to_array(columns).astype(float) - mean
        return _squeezed(distance[:, :, None] * coefficients.T, base)

    return way


def _as_read(predictor: Any, columns: Any) -> NDArray[Any]:
    """The numbers that the trees compare: all but those of LightGBM and histogram boosting round them to float32 first."""
    matrix = to_array(columns)
    exact = hasattr(predictor, "booster_") or hasattr(predictor, "_predictors")
    return matrix if exact else matrix.astype(np.float32).astype(float)


def _masker(background: NDArray[Any]) -> Any:
    import shap

    # Left to itself, shap explains against a hundred of the rows.
    return shap.maskers.Independent(background, max_samples=len(background))


def _is_of_sklearn(predictor: Any) -> bool:
    """Whether they are trees of scikit-learn: boosters explain theirs themselves."""
    return (
        _has_trees(predictor)
        and not hasattr(predictor, "get_booster")
        and not hasattr(predictor, "booster_")
    )


def _takes_background(predictor: Any) -> bool:
    few_enough = max(_node_counts(predictor), default=0) <= MAX_NODES_WITH_BACKGROUND
    return (
        _has_trees(predictor) and not hasattr(predictor, "_predictors") and few_enough
    )


def _has_trees(predictor: Any) -> bool:
    """Whether there are trees that shap can read; those of histogram boosting it misreads where they have categories."""
    categorical = getattr(predictor, "is_categorical_", None)
    if categorical is not None and any(categorical):
        return False
    return any(
        hasattr(predictor, name)
        for name in ("tree_", "_predictors", "get_booster", "booster_")
    ) or any(hasattr(part, "tree_") for part in _members(predictor))


def _node_counts(predictor: Any) -> list[int]:
    return [
        part.tree_.node_count
        for part in chain([predictor], _members(predictor))
        if hasattr(part, "tree_")
    ]


def _members(predictor: Any) -> list[Any]:
    members = getattr(predictor, "estimators_", [])
    return list(members.ravel() if isinstance(members, np.ndarray) else members)


def _second_of_two(
    values: NDArray[np.float64], base: NDArray[np.float64]
) -> Attribution:
    if values.ndim == 3 and values.shape[2] == 2:
        return Attribution(values[:, :, 1], base[1])
    return _squeezed(values, base)


def _squeezed(values: NDArray[np.float64], base: NDArray[np.float64]) -> Attribution:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    return Attribution(values, base if base.size > 1 else base[0])
