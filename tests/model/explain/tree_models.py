"""What the tests of trees' values share: data on which readings go wrong, and fitted models."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRanker, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRanker, XGBRegressor

N_RECORDS = 120
OFFSETS = (0.0, 300.0, 1e5)
COLOURS = ["red", "green", "blue", "grey"]

Matrix = NDArray[np.float64]
Output = Callable[[pd.DataFrame], Any]

small = {"n_estimators": 12, "max_depth": 5, "random_state": 0}
lightgbm = {
    "n_estimators": 12,
    "min_child_samples": 3,
    "verbose": -1,
    "n_jobs": 1,
}
xgboost = {"n_estimators": 12, "max_depth": 4, "n_jobs": 1}
catboost = {
    "iterations": 12,
    "depth": 4,
    "verbose": 0,
    "allow_writing_files": False,
    "thread_count": 1,
    "random_seed": 0,
}
histogram = {"max_iter": 12, "min_samples_leaf": 4}
as_forest = {
    "boosting_type": "rf",
    "bagging_freq": 1,
    "bagging_fraction": 0.7,
    **lightgbm,
}
DART = {
    "LightGBM": {"boosting_type": "dart", "drop_rate": 0.5},
    "XGBoost": {"booster": "dart", "rate_drop": 0.5},
}

REGRESSORS: dict[str, Callable[[], Any]] = {
    "tree": partial(DecisionTreeRegressor, max_depth=6),
    "forest": partial(RandomForestRegressor, **small),
    "extra trees": partial(ExtraTreesRegressor, **small),
    "boosting": partial(GradientBoostingRegressor, **small),
    "boosting, huber": partial(
        GradientBoostingRegressor, loss="huber", **small
    ),
    "histogram boosting": partial(HistGradientBoostingRegressor, **histogram),
    "histogram boosting, poisson": partial(
        HistGradientBoostingRegressor, loss="poisson", **histogram
    ),
    "LightGBM": partial(LGBMRegressor, **lightgbm),
    "LightGBM, 0 is missing": partial(
        LGBMRegressor, zero_as_missing=True, **lightgbm
    ),
    "LightGBM, tweedie": partial(
        LGBMRegressor, objective="tweedie", **lightgbm
    ),
    "XGBoost": partial(XGBRegressor, **xgboost),
    "XGBoost, 0 is missing": partial(XGBRegressor, missing=0.0, **xgboost),
    "XGBoost, gamma": partial(XGBRegressor, objective="reg:gamma", **xgboost),
    "CatBoost": partial(CatBoostRegressor, **catboost),
    "CatBoost, leaf-wise": partial(
        CatBoostRegressor, grow_policy="Lossguide", **catboost
    ),
}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "tree": partial(DecisionTreeClassifier, max_depth=6),
    "forest": partial(RandomForestClassifier, **small),
    "extra trees": partial(ExtraTreesClassifier, **small),
    "boosting": partial(GradientBoostingClassifier, **small),
    "AdaBoost": partial(
        AdaBoostClassifier,
        DecisionTreeClassifier(max_depth=3, random_state=0),
        n_estimators=12,
        random_state=0,
    ),
    "histogram boosting": partial(HistGradientBoostingClassifier, **histogram),
    "LightGBM": partial(LGBMClassifier, **lightgbm),
    "XGBoost": partial(XGBClassifier, **xgboost),
    "CatBoost": partial(CatBoostClassifier, **catboost),
}
TAKE_MISSING = (
    "tree",
    "forest",
    "extra trees",
    "histogram boosting",
    "LightGBM",
    "XGBoost",
    "CatBoost",
)
GROUPED = (
    "forest",
    "boosting",
    "histogram boosting",
    "LightGBM",
    "XGBoost",
    "CatBoost",
)


def table(*, gaps: bool = False, colours: bool = False) -> pd.DataFrame:
    """Decimals, times in seconds, ids above 2**24, flags and a few numbers; some missing."""
    choose = np.random.default_rng(1)
    data = pd.DataFrame()
    data["rate"] = choose.integers(-5, 6, N_RECORDS) / 10
    data["time"] = 1.7e9 + choose.integers(0, 900, N_RECORDS)
    data["id"] = 2.0**24 + choose.integers(0, 50, N_RECORDS)
    data["member"] = choose.integers(0, 2, N_RECORDS).astype(float)
    data["size"] = choose.normal(size=N_RECORDS).round(2)
    if gaps:
        is_missing = choose.random(data.shape) < 0.15
        data = data.mask(is_missing)
    if colours:
        data = data.drop(columns=["id"])
        colours_of_records = choose.choice(COLOURS, N_RECORDS)
        data["colour"] = pd.Categorical(colours_of_records, COLOURS)
    return data


def score(data: pd.DataFrame) -> Matrix:
    filled = data.select_dtypes("number").fillna(0.0)
    scaled = (filled - filled.mean()) / filled.std()
    total = scaled.sum(axis=1) + 2 * scaled["rate"] * scaled["member"]
    total += scaled["time"] * scaled["size"]
    if "colour" in data:
        total += 3.0 * (data["colour"] == "red") - 2.0 * (
            data["colour"] == "blue"
        )
    return np.asarray(total)


@dataclass(frozen=True)
class Case:
    """A fitted model, its data, and the output that its trees add up to."""

    name: str
    fit: Callable[[pd.DataFrame], Any]
    gaps: bool = False
    colours: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def data(self) -> pd.DataFrame:
        """What the model is fitted with."""
        return table(gaps=self.gaps, colours=self.colours)


def cases() -> Iterator[Case]:
    """Yield more than sixty models."""
    yield from _of_numbers()
    yield from _of_links()
    yield from _of_scores()
    yield from _of_transformed_columns()


def _of_numbers() -> Iterator[Case]:
    for name, make in REGRESSORS.items():
        for offset in OFFSETS:
            yield Case(
                f"{name}, {offset:.0f}", partial(_regress, make, offset)
            )
    for name, make in CLASSIFIERS.items():
        for n_classes in (2, 3):
            fit = partial(_classify, make, n_classes)
            yield Case(f"{name}, {n_classes} classes", fit)
    for name in TAKE_MISSING:
        fit = partial(_regress, REGRESSORS[name], 300.0)
        yield Case(f"{name}, gaps", fit, gaps=True)
        fit = partial(_classify, CLASSIFIERS[name], 2)
        yield Case(f"{name}, 2 classes, gaps", fit, gaps=True)


def _of_links() -> Iterator[Case]:
    """Yield models whose trees lead to what is served in a way of their own."""
    shares = {
        "XGBoost, logistic": partial(
            XGBRegressor, objective="reg:logistic", **xgboost
        ),
        "LightGBM, cross-entropy": partial(
            LGBMRegressor, objective="cross_entropy", **lightgbm
        ),
    }
    for name, make in shares.items():
        yield Case(name, partial(_regress_shares, make))
    exponential = partial(
        GradientBoostingClassifier, loss="exponential", **small
    )
    fit = partial(_classify, exponential, 2)
    yield Case("boosting, exponential", fit)
    forest = partial(LGBMRegressor, **as_forest)
    yield Case("LightGBM as a forest", partial(_regress, forest, 300.0))
    fit = partial(_encoded, forest, 0.0)
    yield Case("LightGBM as a forest, one-hot", fit, colours=True)
    for n_classes in (2, 3):
        forest = partial(LGBMClassifier, **as_forest)
        fit = partial(_classify, forest, n_classes)
        yield Case(f"LightGBM as a forest, {n_classes} classes", fit)
    for name in ("LightGBM", "XGBoost"):
        dart: dict[str, Any] = DART[name]
        fit = partial(_regress, partial(REGRESSORS[name], **dart), 0.0)
        yield Case(f"{name}, dart", fit)
    one_against_all = partial(
        LGBMClassifier, objective="multiclassova", **lightgbm
    )
    fit = partial(_classify, one_against_all, 3)
    yield Case("LightGBM, one against all", fit)
    for categories in ([3, 0], [0]):
        fit = partial(_with_ordinals, categories)
        yield Case(f"histogram boosting, ordinals {categories}", fit)


def _of_scores() -> Iterator[Case]:
    """Yield models whose numbers are the risk of a survival, or a rank."""
    cox = partial(XGBRegressor, objective="survival:cox", **xgboost)
    yield Case("XGBoost, survival", partial(_regress, cox, 0.0))
    yield Case("LightGBM, rank", partial(_rank, LGBMRanker(**lightgbm)))
    yield Case("XGBoost, rank", partial(_rank, XGBRanker(**xgboost)))
    ranker = CatBoostRanker(loss_function="YetiRank", **catboost)
    yield Case("CatBoost, rank", partial(_rank, ranker))


def _of_transformed_columns() -> Iterator[Case]:
    for name in GROUPED:
        for threshold in (0.0, 1.0):
            fit = partial(_encoded, REGRESSORS[name], threshold)
            form = "sparse" if threshold else "dense"
            if name != "histogram boosting" or form == "dense":
                yield Case(f"{name}, one-hot, {form}", fit, colours=True)
    for name in ("forest", "LightGBM", "XGBoost"):
        fit = partial(_scaled, REGRESSORS[name])
        yield Case(f"{name}, scaled", fit)
    for name, categories in (
        ("histogram boosting", {"categorical_features": "from_dtype"}),
        ("LightGBM", {}),
        ("XGBoost", {"enable_categorical": True}),
    ):
        fit = partial(_with_categories, REGRESSORS[name], categories)
        yield Case(f"{name}, categories", fit, colours=True)


def _regress(
    make: Callable[[], Any], offset: float, data: pd.DataFrame
) -> Any:
    target = score(data)
    return make().fit(data, target - target.min() + 0.5 + offset)


def _regress_shares(make: Callable[[], Any], data: pd.DataFrame) -> Any:
    return make().fit(data, expit(score(data)))


def _rank(ranker: Any, data: pd.DataFrame) -> Any:
    grades = np.digitize(score(data), [-2, 0, 2])
    if isinstance(ranker, CatBoostRanker):
        return ranker.fit(data, grades, group_id=np.arange(N_RECORDS) // 20)
    return ranker.fit(data, grades, group=[20] * (N_RECORDS // 20))


def _with_ordinals(categories: list[int], data: pd.DataFrame) -> Any:
    """Histogram boosting behind an encoder, whose codes are categories to it."""
    names = [data.columns[number] for number in categories]
    columns = make_column_transformer(
        (OrdinalEncoder(), names), remainder="passthrough"
    )
    places = list(range(len(categories)))
    model = HistGradientBoostingRegressor(
        categorical_features=places, **histogram
    )
    return make_pipeline(columns, model).fit(data, score(data))


def _classify(make: Callable[[], Any], n_classes: int, data: Any) -> Any:
    total = score(data)
    quantiles = np.quantile(total, np.arange(1, n_classes) / n_classes)
    return make().fit(data, np.digitize(total, quantiles))


def _encoded(make: Callable[[], Any], threshold: float, data: Any) -> Any:
    """A pipeline with encoded columns, as a sparse matrix where the threshold is 1."""
    encode = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (encode, ["colour", "member"]),
        remainder="passthrough",
        sparse_threshold=threshold,
    )
    return make_pipeline(columns, make()).fit(data, score(data))


def _scaled(make: Callable[[], Any], data: Any) -> Any:
    return make_pipeline(StandardScaler(), make()).fit(data, score(data))


def _with_categories(
    make: Callable[[], Any], parameters: dict[str, Any], data: Any
) -> Any:
    model = make().set_params(**parameters)
    return model.fit(data, score(data))


def raw_output(model: Any) -> Output:
    """What the trees of a model add up to, as the model itself computes it."""
    predictor = model[-1] if hasattr(model, "steps") else model
    name = type(predictor).__name__
    options: dict[str, Any] = {}
    if getattr(predictor, "boosting_type", "") == "rf":
        return partial(_mean_of_trees, model, predictor.n_estimators_)
    if name.startswith("LGBM"):
        options = {"raw_score": True}
    elif name == "CatBoostRanker":
        return model.predict  # type: ignore[no-any-return]
    elif name.startswith("CatBoost"):
        options = {"prediction_type": "RawFormulaVal"}
    elif name.startswith("XGB"):
        options = {"output_margin": True}
    elif "Boost" in name and hasattr(predictor, "decision_function"):
        return model.decision_function  # type: ignore[no-any-return]
    elif hasattr(predictor, "predict_proba"):
        return partial(_explained_probabilities, model)
    elif getattr(predictor, "loss", "") == "poisson":
        return partial(_log_prediction, model)
    return partial(model.predict, **options)


def _explained_probabilities(model: Any, data: pd.DataFrame) -> Any:
    probabilities = model.predict_proba(data)
    if probabilities.shape[1] == 2:
        return probabilities[:, 1]
    return probabilities


def _mean_of_trees(model: Any, n_trees: int, data: pd.DataFrame) -> Any:
    """The mean of LightGBM's trees, whose raw score is their sum."""
    total = model.predict(data, raw_score=True)
    return total / n_trees


def _log_prediction(model: Any, data: pd.DataFrame) -> Any:
    return np.log(model.predict(data))
