"""Any model behind a scaler is explained against the mean record of its training data.

The truth is by brute force: all coalitions, asked of the estimator itself, which is fitted and
called outside of the service.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostRegressor,
    StackingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from python.errors import TooLarge, Unprocessable
from python.model.base import Explanation
from python.model.explain import linear
from python.model.explain.attribution import Attribute, Attribution
from python.model.sklearn import SklearnModel
from tests.model.explain.truth import brute_force, load, weigh
from tests.models import numbers
from tests.records import explain

# As far from 0 as a year and a pressure, with a spread of one.
DATA = numbers() + np.array([2_012.0, 101_325.0, -40.0])
SCORE = ((DATA - DATA.mean()).to_numpy() ** 2).sum(axis=1)
TARGETS = {
    "numbers": SCORE,
    "two": SCORE > 2,
    "three": np.digitize(SCORE, [1, 3]),
}
RECORDS = DATA.head(3)
MEAN = DATA.mean().to_frame().T
N_MANY = 12

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
ESTIMATORS = {
    "support vectors": (SVC(), "two"),
    "support vectors, three classes": (SVC(), "three"),
    "support vectors, numbers": (SVR(), "numbers"),
    "neighbours": (KNeighborsClassifier(), "two"),
    "neighbours, numbers": (KNeighborsRegressor(), "numbers"),
    "naive Bayes": (GaussianNB(), "three"),
    "neural network": (
        MLPClassifier(4, solver="lbfgs", max_iter=5_000, random_state=0),
        "two",
    ),
    "calibrated": (CalibratedClassifierCV(TREE, method="isotonic"), "three"),
    "AdaBoost": (AdaBoostRegressor(n_estimators=5, random_state=0), "numbers"),
    "stacking": (
        StackingClassifier([("svm", SVC()), ("tree", TREE)], cv=2),
        "two",
    ),
    "outliers": (OneClassSVM(nu=0.3), "numbers"),
}
SCALES = {
    "scaled": StandardScaler(),
    "not centred": StandardScaler(with_mean=False),
    "twice": make_pipeline(MinMaxScaler(), StandardScaler()),
    "projected": make_pipeline(PCA(2), StandardScaler()),
    "a frame": StandardScaler().set_output(transform="pandas"),
    "by columns": make_column_transformer(
        (StandardScaler(), ["größe", "size"]),
        remainder=make_pipeline(RobustScaler(), StandardScaler()),
    ),
}


def served_output(fitted: Any, output: str) -> Callable[[Any], Any]:
    """Return what a stranger calls for the output that is explained."""
    if output == "probability":
        n_classes = len(fitted.classes_)
        explained = slice(None) if n_classes > 2 else 1
        return lambda rows: fitted.predict_proba(rows)[:, explained]
    if output == "margin":
        decide: Callable[[Any], Any] = fitted.decision_function
        return decide
    predict: Callable[[Any], Any] = fitted.predict
    return predict


def check(fitted: Any, served: SklearnModel, mean: pd.DataFrame) -> None:
    """Compare what is served with brute force against one record."""
    info = served.info()
    assert not info["needs_samples"]
    assert info["explanation_background"] == "mean record"
    assert info["explanation_method"] == "exact"
    assert info["explanation_proven"] == "values"
    explanation = explain(served, RECORDS)
    output = served_output(fitted, explanation.output)
    outputs = output(DATA)
    # Kernels of columns that are far from 0 are next to 1, and what they differ by is rounded.
    rounding = 8 * np.finfo(float).eps * np.abs(outputs).max()
    tolerance = 1e-9 * np.ptp(outputs) + rounding
    for row in range(len(RECORDS)):
        expected = brute_force(output, RECORDS[row : row + 1], mean)
        values = explanation.values[row].reshape(expected.shape)
        assert values == pytest.approx(expected, abs=tolerance, rel=0)
    assert explanation.base_value == pytest.approx(
        output(mean)[0], abs=tolerance, rel=0
    )


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_values_are_those_by_all_coalitions_against_the_mean_record(
    name: str, scale: str
) -> None:
    estimator, target = ESTIMATORS[name]
    fitted = make_pipeline(clone(SCALES[scale]), clone(estimator))
    fitted.fit(DATA, TARGETS[target])
    check(fitted, load(fitted, DATA), MEAN)


def test_it_is_the_record_whose_columns_are_the_means() -> None:
    """A curve before the scaler: its mean is that of no mean of the features."""
    power = PowerTransformer(standardize=False)
    positive = DATA - DATA.min() + 1
    fitted = make_pipeline(power, StandardScaler(), SVC())
    fitted.fit(positive, TARGETS["two"])
    served = load(fitted, positive)
    assert served.info()["explanation_background"] == "mean record"
    columns = fitted[0].transform(positive).mean(axis=0)
    mean = pd.DataFrame(
        fitted[0].inverse_transform(columns[None]), columns=list(positive)
    )
    assert np.abs(mean - positive.mean()).to_numpy().max() > 0.01
    explanation = explain(served, positive.head(1))
    expected = brute_force(fitted.decision_function, positive.head(1), mean)
    assert explanation.values[0] == pytest.approx(expected[:, 0], abs=1e-9)
    (base_value,) = fitted.decision_function(mean)
    assert explanation.base_value == pytest.approx(base_value, abs=1e-9)


def of_types() -> pd.DataFrame:
    choose = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "rooms": choose.integers(1, 9, 80),
            "size": choose.normal(90, 20, 80),
            "lift": choose.random(80) > 0.4,
            "floor": pd.array(choose.integers(0, 30, 80), dtype="Int64"),
            "street": pd.Categorical(choose.choice(["High", "Low"], 80)),
        }
    )
    data.loc[choose.random(80) < 0.2, "size"] = np.nan
    return data


def test_whole_numbers_missing_ones_and_unused_texts() -> None:
    """The mean record has 4.5 rooms and 0.6 of a lift, which no record of a client has."""
    data = of_types()
    scale = make_pipeline(SimpleImputer(), StandardScaler())
    numeric = ["rooms", "size", "lift", "floor"]
    columns = make_column_transformer((scale, numeric))
    score = data["size"].fillna(90) / 10 + data["rooms"] * data["lift"]
    fitted = make_pipeline(columns, SVR(C=10)).fit(data, score)
    served = load(fitted, data)
    assert served.info()["explanation_background"] == "mean record"
    imputed = data[numeric].astype(float).fillna(data["size"].mean())
    mean = data.head(1).astype({"rooms": float, "lift": float})
    mean = mean.assign(**imputed.mean())
    records = data[data["size"].isna()].head(1)
    explanation = explain(served, records)

    def predict(rows: pd.DataFrame) -> Any:
        return fitted.predict(rows.astype(dict.fromkeys(numeric, float)))

    expected = brute_force(predict, records, mean)[:, 0]
    assert explanation.values[0] == pytest.approx(expected, abs=1e-9)
    assert explanation.values[0][-1] == 0
    assert np.abs(expected).max() > 0.1


class Clipped(Pipeline):  # type: ignore[misc]
    """Serves something else than its last step says."""

    def predict(self, X: Any, **options: Any) -> Any:
        return np.minimum(super().predict(X, **options), 2.0)


def test_a_pipeline_of_ones_own_is_asked_as_a_whole() -> None:
    steps = [("scale", StandardScaler()), ("machine", SVR(C=100))]
    fitted = Clipped(steps).fit(DATA, SCORE)
    is_clipped = fitted.predict(DATA) == 2
    assert 0.1 < is_clipped.mean() < 0.9
    explanation = explain(load(fitted, DATA), RECORDS)
    for row in range(3):
        expected = brute_force(fitted.predict, RECORDS[row : row + 1], MEAN)
        assert explanation.values[row] == pytest.approx(
            expected[:, 0], abs=1e-9
        )


@pytest.mark.parametrize(
    "steps",
    [
        [FunctionTransformer(np.log1p)],
        [OneHotEncoder(handle_unknown="ignore")],
    ],
    ids=str,
)
def test_a_record_of_means_is_not_made_up(steps: list[Any]) -> None:
    """What cannot be led back, or is a part of a category, is no record."""
    data = (DATA - DATA.min()).round()
    with_mean = not isinstance(steps[0], OneHotEncoder)
    scaler = StandardScaler(with_mean=with_mean)
    fitted = make_pipeline(*steps, scaler, SVC()).fit(data, TARGETS["two"])
    info = load(fitted, data).info()
    assert info["needs_samples"]
    assert info["explanation_background"] is None


def test_what_takes_too_long_is_refused_with_the_arithmetic() -> None:
    choose = np.random.default_rng(0)
    data = pd.DataFrame(
        choose.normal(size=(900, 60)), columns=[f"f{n}" for n in range(60)]
    )
    machine = SVC().fit(StandardScaler().fit_transform(data), data["f0"] > 0)
    fitted = make_pipeline(StandardScaler(), machine).fit(data, data["f0"] > 0)
    served = load(fitted, data)
    most = served.explained_at_once()
    assert most > 0
    many = pd.concat([data.head(1)] * (4 * most + 4), ignore_index=True)
    with pytest.raises(TooLarge, match=r"\d+ records x [\d.e+]+ ms = about"):
        explain(served, many)


def many_features() -> tuple[Any, pd.DataFrame]:
    data = pd.DataFrame(
        np.random.default_rng(0).normal(5, 2, (80, N_MANY)),
        columns=[f"f{number}" for number in range(N_MANY)],
    )
    target = data["f0"] * data["f1"] - data["f2"]
    return make_pipeline(StandardScaler(), SVR(C=50)).fit(data, target), data


def test_many_features_are_sampled_with_their_error() -> None:
    fitted, data = many_features()
    served = load(fitted, data)
    info = served.info()
    assert info["explanation_background"] == "mean record"
    assert info["explanation_exactness"] == "sampled"
    explanation = explain(served, data.head(4))
    total = explanation.base_value + explanation.values.sum(axis=1)
    assert total == pytest.approx(fitted.predict(data.head(4)), rel=1e-9)
    assert explanation.standard_error is not None
    for row in range(4):
        truth = by_all_coalitions(fitted, data[row : row + 1], data)
        off = np.abs(explanation.values[row] - truth)
        error = explanation.standard_error[row]
        assert (off <= 5 * error + 1e-9).all()
        # Errors that are stated too large would let anything through.
        assert error.max() < np.abs(truth).max() / 3


def by_all_coalitions(
    fitted: Any, record: pd.DataFrame, data: pd.DataFrame
) -> Any:
    numbers_of = np.arange(2**N_MANY)[:, None]
    is_member = numbers_of >> np.arange(N_MANY) & 1
    mixed = np.where(is_member, record.to_numpy(), data.mean().to_numpy())
    worths = fitted.predict(pd.DataFrame(mixed, columns=data.columns))
    return weigh(worths[:, None], N_MANY)[:, 0]


def test_a_record_is_explained_alone_as_among_others() -> None:
    fitted, data = many_features()
    served = load(fitted, data)
    together = explain(served, data.head(5))
    for row in range(5):
        alone: Explanation = explain(served, data[row : row + 1])
        assert alone.values[0] == pytest.approx(together.values[row])


def test_samples_in_the_file_come_first() -> None:
    fitted = make_pipeline(StandardScaler(), SVC()).fit(DATA, TARGETS["two"])
    samples = DATA.head(20)
    served = load(fitted, DATA, samples)
    assert served.info()["explanation_background"] == "samples"
    explanation = explain(served, RECORDS)
    decisions = fitted.decision_function(samples)
    assert explanation.base_value == pytest.approx(decisions.mean())


def test_a_record_is_not_compared_with_something_else_than_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that the proven method cannot explain would start from another base value."""
    data = numbers()
    fitted = make_pipeline(StandardScaler(), SVC(kernel="linear"))
    fitted.fit(data, TARGETS["two"])
    make = linear.make_linear

    def make_wrong(predictor: Any, mean: Any) -> Attribute | None:
        attribute = make(predictor, mean)
        assert attribute is not None

        def lose_the_far(columns: Any) -> Attribution:
            attribution = attribute(columns)
            is_far = np.abs(np.asarray(columns)).max() > 100
            values = attribution.values * (0.5 if is_far else 1)
            return attribution._replace(values=values)

        return lose_the_far

    monkeypatch.setattr(linear, "make_linear", make_wrong)
    served = load(fitted, data)
    assert served.info()["explanation_background"] == "training data"
    explain(served, data.head(3))
    with pytest.raises(Unprocessable, match="no method gives values"):
        explain(served, data.head(3) + 1_000)
