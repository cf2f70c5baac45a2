"""Values by shapiq's TreeExplainer, which is faster than shap's for deep trees."""

import logging
from threading import Lock

import numpy as np

from python.model.explain.attribution import Attribute, Attribution
from python.model.types import Estimator, Matrix

log = logging.getLogger(__name__)


def make_by_shapiq(predictor: Estimator) -> Attribute | None:
    """Return what explains trees by shapiq; None if it is not installed or does not know them.

    It computes the same values as shap (Muschalik et al. 2024, arXiv:2401.12069), one class at a
    time. So several classes are left to shap, which is as fast for them.
    """
    try:
        from shapiq import TreeExplainer
    except ImportError:
        return None
    if len(getattr(predictor, "classes_", ())) > 2:
        return None
    try:
        explainer = TreeExplainer(
            predictor, max_order=1, index="SV", class_index=1
        )
    except Exception as error:  # it refuses what it does not know in many ways
        log.debug("shapiq does not explain these trees: %s", error)
        return None
    lock = Lock()  # the explainer keeps in itself what it computes

    def attribute(matrix: Matrix) -> Attribution:
        values = []
        with lock:
            for record in matrix:
                interactions = explainer.explain(record)
                values.append(interactions.get_n_order_values(1))
        base_value = np.asarray(explainer.baseline_value, dtype=float)
        return Attribution(np.array(values), base_value)

    return attribute
