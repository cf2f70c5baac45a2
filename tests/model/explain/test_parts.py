"""Values of predictors that are made of others, against brute force over all coalitions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_transformer,
)
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from python.model.explain.parts import find_parts
from python.model.trees import read_trees
from tests.model.explain.tree_models import lightgbm, score, table
from tests.model.explain.truth import (
    Matrix,
    brute_force,
    load,
    weigh,
    worth_by_cover,
)
from tests.records import explain

DATA = table()
ROWS = DATA[:3]
BACKGROUND = DATA[20:32]
SCORE = score(DATA)
PRICE = SCORE - SCORE.min() + 0.5
TWO = (SCORE > 0) * 1
THREE = np.digitize(SCORE, np.quantile(SCORE, [1 / 3, 2 / 3]))
N_FEATURES = DATA.shape[1]
NO_SAMPLES = "needs background rows"

forest = RandomForestClassifier(8, max_depth=4, random_state=0)
regressors = RandomForestRegressor(8, max_depth=4, random_state=0)
tree = DecisionTreeClassifier(max_depth=3, random_state=0)
number = DecisionTreeRegressor(max_depth=5, random_state=0)
boosting = GradientBoostingClassifier(n_estimators=8, random_state=0)


@dataclass
class Part:
    """What is made of a part: its trees take `columns` of the scaled or plain data."""

    weight: float
    model: Any
    columns: Any = field(default_factory=lambda: np.arange(N_FEATURES))

    def worth(self, row: pd.DataFrame, players: frozenset[int]) -> Matrix:
        predictor, matrix = self.model, row.to_numpy()[:, self.columns]
        if hasattr(self.model, "steps"):
            *_, (_, predictor) = self.model.steps
            is_named = hasattr(self.model, "feature_names_in_")
            matrix = self.model[:-1].transform(row if is_named else matrix)
        trees = read_trees(predictor)
        assert trees is not None
        (numbers,) = trees.numbers(matrix)
        worth = worth_by_cover(trees, self.columns, numbers, players)
        return self.weight * worth


def whole(model: Any) -> list[Part]:
    return [Part(1.0, model.estimator_)]


def voting(model: Any) -> list[Part]:
    weights = np.asarray(model.weights, dtype=float)
    weights /= weights.sum()
    return [
        Part(weight, member)
        for weight, member in zip(weights, model.estimators_, strict=True)
    ]


def bagged(model: Any) -> list[Part]:
    weight = 1 / len(model.estimators_)
    pairs = zip(model.estimators_, model.estimators_features_, strict=True)
    return [Part(weight, member, columns) for member, columns in pairs]


def calibrated(model: Any) -> list[Part]:
    (one,) = model.calibrated_classifiers_
    estimator = one.estimator
    if isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    return [Part(-one.calibrators[0].a_, estimator)]


def by_temperature(model: Any) -> list[Part]:
    (one,) = model.calibrated_classifiers_
    # Of two classes, the scores are the decision and its opposite.
    n_scores = 2 if len(one.classes) == 2 else 1
    return [Part(n_scores * one.calibrators[0].beta_, one.estimator)]


def transformed(model: Any) -> list[Part]:
    return [Part(1.0, model.regressor_)]


def rescaled(model: Any) -> list[Part]:
    return [Part(model.transformer_.scale_[0], model.regressor_)]


def probability(model: Any, data: pd.DataFrame) -> Matrix:
    probabilities: Matrix = model.predict_proba(data)
    return probabilities if probabilities.shape[1] > 2 else probabilities[:, 1]


def log_odds(model: Any, data: pd.DataFrame) -> Matrix:
    first, second = model.predict_proba(data).T
    return np.asarray(np.log(second / first))


def prediction(model: Any, data: pd.DataFrame) -> Matrix:
    return np.asarray(model.predict(data))


def log_prediction(model: Any, data: pd.DataFrame) -> Matrix:
    return np.asarray(np.log(model.predict(data)))


def transformed_target(model: Any, data: pd.DataFrame) -> Matrix:
    return np.asarray(model.regressor_.predict(data))


def margin(model: Any, data: pd.DataFrame) -> Matrix:
    if not hasattr(model, "predict_proba"):
        return transformed_target(model, data)
    (one,) = model.calibrated_classifiers_
    beta = one.calibrators[0].beta_
    return np.asarray(beta * one.estimator.decision_function(data))


OUTPUTS = {
    "probability": probability,
    "log_odds": log_odds,
    "prediction": prediction,
    "log_prediction": log_prediction,
    "margin": margin,
}
Parts = Callable[[Any], list[Part]]
# An estimator and its target; what its values explain alone; and its parts.
ALONE: dict[str, tuple[Any, Any, str, Parts]] = {
    "tuned threshold": (
        TunedThresholdClassifierCV(forest),
        TWO,
        "probability",
        whole,
    ),
    "fixed threshold": (
        FixedThresholdClassifier(boosting, threshold=0.3),
        TWO,
        "log_odds",
        whole,
    ),
    "threshold of a pipeline": (
        FixedThresholdClassifier(make_pipeline(StandardScaler(), forest)),
        TWO,
        "probability",
        whole,
    ),
    "frozen": (
        FrozenEstimator(forest.fit(DATA, THREE)),
        THREE,
        "probability",
        lambda model: [Part(1.0, model.estimator)],
    ),
    "searched threshold": (
        GridSearchCV(
            FixedThresholdClassifier(forest), {"threshold": [0.4, 0.5]}
        ),
        TWO,
        "probability",
        lambda model: whole(model.best_estimator_),
    ),
    "voting": (
        VotingClassifier(
            [("a", forest), ("b", tree)], voting="soft", weights=[3, 1]
        ),
        TWO,
        "probability",
        voting,
    ),
    "voting, three classes": (
        VotingClassifier(
            [("a", make_pipeline(StandardScaler(), forest)), ("b", tree)],
            voting="soft",
            weights=[0.5, 2],
        ),
        THREE,
        "probability",
        voting,
    ),
    "voting for a number": (
        VotingRegressor(
            [
                ("a", regressors),
                ("b", HistGradientBoostingRegressor(max_iter=9)),
            ],
            weights=[1, 4],
        ),
        PRICE + 1e5,
        "prediction",
        voting,
    ),
    "bagging": (
        BaggingClassifier(tree, 9, max_features=3, random_state=0),
        TWO,
        "probability",
        bagged,
    ),
    "bagging by one column": (
        BaggingRegressor(number, 5, max_features=1, random_state=0),
        PRICE,
        "prediction",
        bagged,
    ),
    "bagging of a pipeline": (
        BaggingClassifier(
            make_pipeline(StandardScaler(), tree), 5, random_state=0
        ),
        THREE,
        "probability",
        bagged,
    ),
    "calibrated by temperature": (
        CalibratedClassifierCV(boosting, method="temperature", ensemble=False),
        TWO,
        "log_odds",
        by_temperature,
    ),
    "calibrated by temperature, three classes": (
        CalibratedClassifierCV(boosting, method="temperature", ensemble=False),
        THREE,
        "margin",
        by_temperature,
    ),
    "calibrated forest": (
        CalibratedClassifierCV(forest, ensemble=False),
        TWO,
        "log_odds",
        calibrated,
    ),
    "calibrated boosting": (
        CalibratedClassifierCV(boosting, ensemble=False),
        TWO,
        "log_odds",
        calibrated,
    ),
    "calibrated later": (
        CalibratedClassifierCV(FrozenEstimator(forest.fit(DATA, TWO))),
        TWO,
        "log_odds",
        calibrated,
    ),
    "log of the target": (
        TransformedTargetRegressor(
            regressors, func=np.log, inverse_func=np.exp
        ),
        PRICE,
        "log_prediction",
        transformed,
    ),
    "log1p of the target": (
        TransformedTargetRegressor(
            regressors, func=np.log1p, inverse_func=np.expm1
        ),
        PRICE,
        "margin",
        transformed,
    ),
    "power of the target": (
        TransformedTargetRegressor(regressors, transformer=PowerTransformer()),
        PRICE,
        "margin",
        transformed,
    ),
    "scaled target": (
        TransformedTargetRegressor(regressors, transformer=StandardScaler()),
        PRICE + 300,
        "prediction",
        rescaled,
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_values_are_those_of_the_parts_by_brute_force(name: str) -> None:
    estimator, target, output, find = ALONE[name]
    model = estimator.fit(DATA, target)
    explanation = explain(load(model, DATA), ROWS)
    assert explanation.output == output
    parts = find(model)
    for row, values in enumerate(explanation.values):
        record = ROWS.iloc[row : row + 1]
        worths = []
        for coalition in range(2**N_FEATURES):
            players = [n for n in range(N_FEATURES) if coalition >> n & 1]
            known = frozenset(players)
            worths.append(sum(part.worth(record, known) for part in parts))
        by_coalition = np.stack(worths)
        expected = weigh(by_coalition, N_FEATURES).reshape(values.shape)
        allowed = 1e-9 * float(np.ptp(by_coalition))
        assert np.abs(values - expected).max() <= allowed
    served = OUTPUTS[output](getattr(model, "best_estimator_", model), ROWS)
    total = explanation.base_value + explanation.values.sum(axis=1)
    assert total == pytest.approx(served, rel=1e-9)


@pytest.mark.parametrize("name", ALONE)
def test_values_against_a_background_are_those_by_brute_force(
    name: str,
) -> None:
    estimator, target, _, _ = ALONE[name]
    model = estimator.fit(DATA, target)
    explanation = explain(load(model, DATA), ROWS, BACKGROUND)
    if hasattr(model, "predict_proba"):
        assert explanation.output == "probability"

    def output(data: pd.DataFrame) -> Matrix:
        return OUTPUTS[explanation.output](model, data)

    outputs = output(BACKGROUND)
    allowed = 1e-9 * float(np.ptp(outputs))
    for row, values in enumerate(explanation.values):
        record = ROWS.iloc[row : row + 1]
        expected = brute_force(output, record, BACKGROUND)
        error = np.abs(values - expected.reshape(values.shape))
        assert error.max() <= allowed
    mean = outputs.mean(axis=0)
    assert np.abs(explanation.base_value - mean).max() <= allowed


def test_the_columns_of_a_feature_are_one_player_in_each_part() -> None:
    data = table(colours=True)
    encode = make_column_transformer(
        (OneHotEncoder(), ["colour", "member"]), remainder="passthrough"
    )
    members = [
        ("a", make_pipeline(encode, regressors)),
        ("b", make_pipeline(encode, number)),
    ]
    model = VotingRegressor(members).fit(data, score(data))
    explanation = explain(load(model, data), data[:3], data[20:32])
    for row, values in enumerate(explanation.values):
        record = data.iloc[row : row + 1]
        expected = brute_force(model.predict, record, data[20:32])
        assert values == pytest.approx(expected[:, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (CalibratedClassifierCV(forest, cv=3), TWO),
        (
            CalibratedClassifierCV(forest, method="isotonic", ensemble=False),
            TWO,
        ),
        (CalibratedClassifierCV(forest, ensemble=False), THREE),
        (
            VotingClassifier([("a", forest), ("b", boosting)], voting="soft"),
            TWO,
        ),
        (StackingClassifier([("a", forest), ("b", tree)], cv=3), TWO),
    ],
)
def test_what_is_no_sum_of_trees_needs_samples(
    estimator: Any, target: Any
) -> None:
    model = estimator.fit(DATA, target)
    info = load(model, DATA).info()
    assert info["needs_samples"]
    explanation = explain(load(model, DATA), ROWS[:1], BACKGROUND[:6])

    def output(data: pd.DataFrame) -> Matrix:
        return probability(model, data)

    for row, values in enumerate(explanation.values):
        expected = brute_force(
            output, ROWS.iloc[row : row + 1], BACKGROUND[:6]
        )
        assert values == pytest.approx(
            expected.reshape(values.shape), abs=1e-12
        )


@pytest.mark.parametrize("weights", [None, [2, 1, 1.5]])
@pytest.mark.parametrize("target", [TWO, THREE])
def test_votes_are_explained_by_their_shares(
    weights: Any, target: Any
) -> None:
    members = [("a", forest), ("b", tree), ("c", LogisticRegression())]
    model = make_pipeline(
        StandardScaler(), VotingClassifier(members, weights=weights)
    ).fit(DATA, target)
    loaded = load(model, DATA, BACKGROUND)
    assert loaded.info()["is_explainable"]
    explanation = explain(loaded, ROWS)
    assert explanation.output == "margin"

    def shares(data: pd.DataFrame) -> Matrix:
        scaled = model[0].transform(data)
        votes = [member.predict(scaled) for member in model[1].estimators_]
        of_class = [
            np.average(np.stack(votes) == label, axis=0, weights=weights)
            for label in model.classes_
        ]
        by_class = np.stack(of_class, axis=1)
        return by_class if len(of_class) > 2 else by_class[:, 1]

    for row, values in enumerate(explanation.values):
        expected = brute_force(shares, ROWS.iloc[row : row + 1], BACKGROUND)
        assert values == pytest.approx(
            expected.reshape(values.shape), abs=1e-12
        )
    total = explanation.base_value + explanation.values.sum(axis=1)
    if target is THREE:
        assert np.array_equal(total.argmax(axis=1), model.predict(ROWS))
    assert total == pytest.approx(shares(ROWS))


def test_linear_parts_are_added_up() -> None:
    members = [("a", Ridge()), ("b", make_pipeline(StandardScaler(), Ridge()))]
    model = VotingRegressor(members, weights=[2, 1]).fit(DATA, PRICE)
    loaded = load(model, DATA, BACKGROUND)
    assert loaded.info()["explanation_method"] == "linear"
    explanation = explain(loaded, ROWS)
    expected = brute_force(model.predict, ROWS[:1], BACKGROUND)
    largest = np.abs(expected).max()
    assert explanation.values[0] == pytest.approx(
        expected[:, 0], abs=1e-9 * largest
    )


def encoded(predictor: Any) -> Any:
    encode = make_column_transformer(
        (OneHotEncoder(), ["colour"]), remainder="passthrough"
    )
    return make_pipeline(encode, predictor)


@pytest.mark.parametrize(
    ("estimator", "target", "method"),
    [
        (
            FixedThresholdClassifier(encoded(LogisticRegression())),
            TWO,
            "linear",
        ),
        (
            VotingRegressor(
                [("a", encoded(Ridge())), ("b", encoded(Ridge()))]
            ),
            PRICE,
            "linear",
        ),
        (
            TransformedTargetRegressor(
                encoded(Ridge()), transformer=StandardScaler()
            ),
            PRICE,
            "linear",
        ),
        (
            VotingRegressor(
                [("a", encoded(regressors)), ("b", encoded(Ridge()))]
            ),
            PRICE,
            "parts",
        ),
    ],
)
def test_parts_that_encode_texts_themselves_are_added_up(
    estimator: Any, target: Any, method: str
) -> None:
    """Their columns are no numbers before."""
    data = table(colours=True)
    model = estimator.fit(data, target)
    info = load(model, data, data[20:32]).info()
    assert info["explanation_method"] == method
    assert info["explanation_proven"] == "values"


def vote_of_two_kinds() -> Any:
    """A forest and a linear model, of which neither's method explains the other."""
    linear = make_pipeline(StandardScaler(), Ridge())
    members = [("forest", regressors), ("linear", linear)]
    return VotingRegressor(members, weights=[2, 1]).fit(DATA, PRICE)


@pytest.mark.parametrize("is_in_file", [False, True])
def test_trees_and_linear_parts_are_added_up(is_in_file: bool) -> None:
    model = vote_of_two_kinds()
    loaded = load(model, DATA, BACKGROUND if is_in_file else None)
    explanation = explain(loaded, ROWS, None if is_in_file else BACKGROUND)
    if is_in_file:
        info = loaded.info()
        assert info["explanation_method"] == "parts"
        assert info["explanation_proven"] == "values"
    allowed = 1e-9 * float(np.ptp(model.predict(DATA)))
    for row, values in enumerate(explanation.values):
        record = ROWS.iloc[row : row + 1]
        expected = brute_force(model.predict, record, BACKGROUND)
        assert np.abs(values - expected[:, 0]).max() <= allowed


def test_trees_and_scaled_linear_parts_are_added_up_without_samples() -> None:
    model = vote_of_two_kinds()
    loaded = load(model, DATA)
    info = loaded.info()
    assert info["explanation_method"] == "parts"
    assert info["explanation_proven"] == "values"
    explanation = explain(loaded, ROWS)
    trees, linear = model.estimators_
    of_trees = explain(load(trees, DATA), ROWS).values
    allowed = 1e-9 * float(np.ptp(model.predict(DATA)))
    for row, values in enumerate(explanation.values):
        record = ROWS.iloc[row : row + 1]
        of_linear = brute_force(linear.predict, record, DATA)
        expected = (2 * of_trees[row] + of_linear[:, 0]) / 3
        assert np.abs(values - expected).max() <= allowed


def test_a_booster_behind_a_threshold_has_the_values_of_its_library() -> None:
    model = FixedThresholdClassifier(LGBMClassifier(**lightgbm))
    model.fit(DATA, TWO)
    loaded = load(model, DATA)
    contributions = model.estimator_.predict(ROWS, pred_contrib=True)
    explanation = explain(loaded, ROWS)
    assert explanation.values == pytest.approx(contributions[:, :-1])


def test_a_subclass_may_do_anything_with_its_parts() -> None:
    class Cautious(VotingRegressor):  # type: ignore[misc]
        """Predicts the smaller number."""

        def predict(self, X: Any) -> Any:
            return self.transform(X).min(axis=1)

    members = [("a", regressors), ("b", number)]
    plain = VotingRegressor(members).fit(DATA, PRICE)
    assert find_parts(plain) is not None
    cautious = Cautious(members).fit(DATA, PRICE)
    assert find_parts(cautious) is None
    assert load(cautious, DATA).info()["needs_samples"]


def test_a_straight_line_is_told_from_a_bent_one() -> None:
    for transformer, is_straight in (
        (MinMaxScaler(), True),
        (PowerTransformer(), False),
    ):
        model = TransformedTargetRegressor(number, transformer=transformer)
        parts = find_parts(model.fit(DATA, PRICE))
        assert parts is not None
        assert (parts.weights[0] != 1.0) == is_straight


@pytest.mark.parametrize(
    "back_and_forth",
    [(np.log1p, np.expm1), (np.sqrt, np.square)],
    ids=["log1p", "sqrt"],
)
@pytest.mark.parametrize("background", [None, BACKGROUND])
def test_a_prediction_that_is_the_same_in_both_spaces_is_no_other_output(
    back_and_forth: tuple[Any, Any], background: pd.DataFrame | None
) -> None:
    """A count that is often 0 is 0 transformed, too: the values are still those of the margin."""
    counts = np.where(SCORE > 0, SCORE, 0.0)
    func, inverse = back_and_forth
    model = TransformedTargetRegressor(
        DecisionTreeRegressor(max_depth=6), func=func, inverse_func=inverse
    ).fit(DATA, counts)
    predicted = model.predict(DATA)
    row = DATA[predicted == 0][:1]
    served = load(model, DATA)
    explanation = explain(served, row, background)
    assert explanation.output == "margin"
    both = pd.concat([row, DATA[predicted > 0][:1]])
    of_both = explain(served, both, background)
    assert explanation.base_value == pytest.approx(of_both.base_value)
    if background is not None:
        expected = brute_force(model.regressor_.predict, row, background)
        assert explanation.values[0] == pytest.approx(expected[:, 0])


def test_a_part_whose_target_is_transformed_is_no_part_of_a_mean() -> None:
    counts = np.where(SCORE > 0, SCORE, 0.0)
    transformed = TransformedTargetRegressor(
        DecisionTreeRegressor(max_depth=3),
        func=np.log1p,
        inverse_func=np.expm1,
    )
    model = VotingRegressor([("one", transformed), ("two", number)])
    model.fit(DATA, counts)
    served = load(model, DATA)
    assert not served.offers_explanations
    explanation = explain(served, ROWS, BACKGROUND)
    assert explanation.output == "prediction"
    for row, values in zip(range(len(ROWS)), explanation.values, strict=True):
        expected = brute_force(model.predict, ROWS.iloc[[row]], BACKGROUND)
        assert values == pytest.approx(expected[:, 0])
