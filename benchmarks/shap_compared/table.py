"""The table of all models: the worst differences from brute force."""

from typing import NamedTuple

import lightgbm
import numpy as np
import shap
import sklearn
import xgboost

from benchmarks.shap_compared.models import Fitted, fitted_models
from benchmarks.shap_compared.values import (
    by_brute_force,
    by_service,
    by_shap,
    by_splits,
    output_function,
)
from python.model.types import Matrix

BACKGROUND = slice(20, 50)
EXPLAINED = slice(0, 20)
# Without a background, brute force walks through the trees once for each coalition.
EXPLAINED_ALONE = slice(0, 6)
FLOAT32_PLACES = 4
SHARE_OF_SPREAD = 1e-9  # in float64, as the tests have it
HEAD = "\n".join(
    [
        "| Data | Model | No background: service | shap | Sums of shap "
        "| Background: service | shap | Sums of shap |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
)
SUMMARY = """
Without a background, shap's values are those of brute force for {alone} of these {models} models.
It refuses {refused_alone}.
With a background they are for {against}, and it refuses {refused_against}.
The service's values differ for {differing} by more than rounding in the library's own precision.
Measured with {versions}."""
LIBRARIES = (shap, sklearn, lightgbm, xgboost)


class Measurement(NamedTuple):
    """The worst differences of a model, relative to the spread of its output; None: refused.

    `rounding` is what float32 explains, some units in the last place of the largest output.
    `allowed` is what the estimator's own precision explains.
    """

    of_service: float
    of_shap: float | None
    of_shap_sums: float | None
    rounding: float
    allowed: float

    @property
    def is_refused(self) -> bool:
        """Whether shap raises an exception."""
        return self.of_shap is None

    @property
    def agrees(self) -> bool:
        """Whether shap's values differ from brute force by rounding alone."""
        return self.of_shap is not None and self.of_shap <= self.rounding

    @property
    def is_right(self) -> bool:
        """Whether the service's values differ from brute force by its own rounding alone."""
        return self.of_service <= self.allowed

    @property
    def texts(self) -> list[str]:
        """The differences as the table shows them."""
        differences = (self.of_service, self.of_shap, self.of_shap_sums)
        return [
            difference_text(difference, self.rounding)
            for difference in differences
        ]


def measure(fitted: Fitted, *, has_background: bool) -> Measurement:
    """Compare the values of some records with brute force, and the sums with the output."""
    data = fitted.data
    background = data[BACKGROUND] if has_background else None
    rows = data[EXPLAINED if has_background else EXPLAINED_ALONE]
    service, output = by_service(fitted, rows, background)
    function = output_function(fitted.estimator, output)
    if background is None:
        truth = by_splits(fitted, rows)
    else:
        truth = by_brute_force(function, rows, background)
    outputs = np.asarray(function(data)).reshape(len(data), -1)
    spread = float(np.ptp(outputs, axis=0).max())
    largest = np.float32(np.abs(outputs).max())
    rounding = FLOAT32_PLACES * float(np.spacing(largest)) / spread
    is_single = outputs.dtype == np.float32
    allowed = rounding if is_single else SHARE_OF_SPREAD
    of_service = worst(service.values, truth) / spread
    # shap and the libraries raise exceptions of any type.
    try:
        with_shap = by_shap(fitted, rows, background, output)
    except Exception as error:
        print(f"{fitted.data_name}, {fitted.model_name}: {error!r}")
        return Measurement(of_service, None, None, rounding, allowed)
    of_shap = worst(with_shap.values, truth) / spread
    of_sums = worst(with_shap.sums, outputs[: len(rows)]) / spread
    return Measurement(of_service, of_shap, of_sums, rounding, allowed)


def worst(values: Matrix, truth: Matrix) -> float:
    """Return the largest difference."""
    if values.shape != truth.shape:
        raise ValueError(f"{values.shape} and {truth.shape} do not compare")
    return float(np.abs(values - truth).max())


def of_models() -> str:
    """Return a table with a line for each model, and how many models shap agrees on."""
    lines = [HEAD]
    alone = []
    against = []
    for fitted in fitted_models():
        alone.append(measure(fitted, has_background=False))
        against.append(measure(fitted, has_background=True))
        texts = [*alone[-1].texts, *against[-1].texts]
        names = [fitted.data_name, fitted.model_name]
        lines.append(f"| {' | '.join(names + texts)} |")
        print(lines[-1], flush=True)
    return "\n".join([*lines, summary(alone, against)])


def summary(alone: list[Measurement], against: list[Measurement]) -> str:
    """Return on how many models shap agrees with brute force, and that the service does."""
    both = alone + against
    versions = [
        f"{library.__name__} {library.__version__}" for library in LIBRARIES
    ]
    return SUMMARY.format(
        models=len(alone),
        alone=sum(measured.agrees for measured in alone),
        against=sum(measured.agrees for measured in against),
        refused_alone=sum(measured.is_refused for measured in alone),
        refused_against=sum(measured.is_refused for measured in against),
        versions=", ".join(versions),
        differing=sum(not measured.is_right for measured in both),
    )


def difference_text(difference: float | None, rounding: float) -> str:
    """Return a difference, in bold where rounding does not explain it."""
    if difference is None:
        return "refused"
    text = f"{difference:.0e}"
    return text if difference <= rounding else f"**{text}**"
