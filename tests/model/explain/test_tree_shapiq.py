"""shapiq changes no value, where it is installed: it is a requirement for Python 3.12 or newer."""

from importlib.util import find_spec

import numpy as np
import pytest

from python.model.data.columns import to_array
from python.model.explain.tree_shap import make_path_dependent
from python.model.explain.tree_shapiq import make_by_shapiq
from tests.matrix import fit
from tests.models import numbers

KINDS = (
    "decision tree",
    "random forest",
    "extra trees",
    "gradient boosting",
    "histogram boosting",
)

if find_spec("shapiq"):

    @pytest.mark.parametrize("estimator", KINDS)
    @pytest.mark.parametrize("task", ["binary", "regression"])
    def test_shapiq_changes_no_answer(estimator: str, task: str) -> None:
        predictor = fit(estimator, task, "numbers")
        matrix = to_array(numbers().head(20)).astype(np.float32).astype(float)
        usual = make_path_dependent(predictor)
        by_shapiq = make_by_shapiq(predictor)
        assert usual is not None
        assert by_shapiq is not None
        for value, expected in zip(
            by_shapiq(matrix), usual(matrix), strict=True
        ):
            assert value == pytest.approx(expected, abs=1e-12)

    def test_several_classes_are_left_to_shap() -> None:
        assert (
            make_by_shapiq(fit("random forest", "three classes", "numbers"))
            is None
        )

    def test_what_shapiq_does_not_know_is_left_to_shap() -> None:
        assert (
            make_by_shapiq(fit("nearest neighbours", "binary", "numbers"))
            is None
        )

else:

    def test_without_shapiq_nothing_is_left_to_it() -> None:
        assert (
            make_by_shapiq(fit("random forest", "binary", "numbers")) is None
        )
