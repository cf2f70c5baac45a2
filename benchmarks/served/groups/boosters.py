"""LightGBM, XGBoost and CatBoost: native categories, bare boosters, rankers, one class."""

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import Fitted, Record

group = Group("Boosters")
native = Group("Native categories")
bare = Group("lgb.train and xgb.train")
rankers = Group("Rankers")
one_class = Group("One class only")


def lightgbm_model(kind: str = "LGBMClassifier", **more: Any) -> Any:
    """Return a small model of LightGBM."""
    import lightgbm

    return getattr(lightgbm, kind)(
        n_estimators=10, verbose=-1, n_jobs=1, **more
    )


def xgboost_model(kind: str = "XGBClassifier", **more: Any) -> Any:
    """Return a small model of XGBoost."""
    import xgboost

    return getattr(xgboost, kind)(
        n_estimators=10, max_depth=3, n_jobs=1, **more
    )


def catboost_model(kind: str = "CatBoostClassifier", **more: Any) -> Any:
    """Return a small model of CatBoost."""
    import catboost

    quiet = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
    return getattr(catboost, kind)(iterations=10, depth=3, **quiet, **more)


@group.artifact("LGBMClassifier, iris")
def lightgbm_classes() -> Fitted:
    X, y = data.iris()
    return Fitted(lightgbm_model().fit(X, y), X)


@group.artifact("LGBMClassifier, a matrix")
def lightgbm_matrix() -> Fitted:
    X, y = data.cancer()
    X = X.to_numpy()
    return Fitted(lightgbm_model().fit(X, y), X)


@group.artifact("LGBMRegressor, diabetes")
def lightgbm_regressor() -> Fitted:
    X, y = data.diabetes()
    return Fitted(lightgbm_model("LGBMRegressor").fit(X, y), X)


@group.artifact("LGBMClassifier, integers, booleans, missing ages")
def lightgbm_types() -> Fitted:
    X, y = data.people("age", "siblings", "member", "zip")
    return Fitted(lightgbm_model().fit(X, y), X)


@group.artifact("XGBClassifier, tumours")
def xgboost_classes() -> Fitted:
    X, y = data.cancer()
    return Fitted(xgboost_model().fit(X, y), X)


@group.artifact("XGBClassifier, iris, a matrix")
def xgboost_matrix() -> Fitted:
    X, y = data.iris()
    X = X.to_numpy()
    return Fitted(xgboost_model().fit(X, y), X)


@group.artifact("XGBRegressor, diabetes")
def xgboost_regressor() -> Fitted:
    X, y = data.diabetes()
    return Fitted(xgboost_model("XGBRegressor").fit(X, y), X)


@group.artifact("XGBClassifier, integers, booleans, missing ages")
def xgboost_types() -> Fitted:
    X, y = data.people("age", "siblings", "member", "zip")
    return Fitted(xgboost_model().fit(X, y), X)


@group.artifact("XGBRFClassifier scaled, tumours")
def xgboost_forest() -> Fitted:
    X, y = data.cancer()
    return Fitted(
        make_pipeline(StandardScaler(), xgboost_model("XGBRFClassifier")).fit(
            X, y
        ),
        X,
    )


@group.artifact("CatBoostClassifier, classes yes and no")
def catboost_classes() -> Fitted:
    X, y = data.people("age", "fare", "siblings")
    return Fitted(catboost_model().fit(X, data.yes_no(y)), X)


@group.artifact("CatBoostClassifier, iris")
def catboost_iris() -> Fitted:
    X, y = data.iris()
    return Fitted(catboost_model().fit(X, y), X)


@group.artifact("CatBoostRegressor, diabetes, a matrix")
def catboost_regressor() -> Fitted:
    X, y = data.diabetes()
    X = X.to_numpy()
    return Fitted(catboost_model("CatBoostRegressor").fit(X, y), X)


def categorical(*columns: str, missing: bool = False) -> tuple[Any, Any]:
    """Return passengers whose texts are categories."""
    X, y = data.people(*(columns or ("sex", "port", "fare")))
    texts = [name for name in ("sex", "port") if name in X]
    X = X.astype(dict.fromkeys(texts, "category"))
    if missing:
        X = X.assign(port=X.port.mask(X.index % 7 == 3))
    return X, y


@native.artifact("LightGBM")
def lightgbm_native() -> Fitted:
    X, y = categorical()
    return Fitted(lightgbm_model(min_child_samples=5).fit(X, y), X)


@native.artifact("LightGBM, some missing")
def lightgbm_missing() -> Fitted:
    X, y = categorical(missing=True)
    return Fitted(lightgbm_model(min_child_samples=5).fit(X, y), X)


@native.artifact("LightGBM, categories in another order")
def lightgbm_order() -> Fitted:
    X, y = categorical()
    features: list[Record] = [
        {"name": "sex", "type": "category", "categories": ["male", "female"]},
        {"name": "port", "type": "category", "categories": data.PORTS[::-1]},
        {"name": "fare", "type": "numeric"},
    ]
    return Fitted(lightgbm_model(min_child_samples=5).fit(X, y), X, features)


@native.artifact("LightGBM, integers named in categorical_feature")
def lightgbm_integers() -> Fitted:
    X, y = data.people("fare", "siblings", "zip")
    model = lightgbm_model(min_child_samples=5)
    return Fitted(model.fit(X, y, categorical_feature=["siblings", "zip"]), X)


@native.artifact("XGBoost")
def xgboost_native() -> Fitted:
    X, y = categorical()
    return Fitted(xgboost_model(enable_categorical=True).fit(X, y), X)


@native.artifact("XGBoost, some missing")
def xgboost_missing() -> Fitted:
    X, y = categorical(missing=True)
    return Fitted(xgboost_model(enable_categorical=True).fit(X, y), X)


@native.artifact("XGBoost, categories in another order")
def xgboost_order() -> Fitted:
    X, y = categorical("port", "fare")
    features: list[Record] = [
        {"name": "port", "type": "category", "categories": data.PORTS[::-1]},
        {"name": "fare", "type": "numeric"},
    ]
    return Fitted(
        xgboost_model(enable_categorical=True).fit(X, y), X, features
    )


@native.artifact("CatBoost, texts")
def catboost_texts() -> Fitted:
    X, y = data.people("sex", "port", "fare")
    return Fitted(catboost_model(cat_features=["sex", "port"]).fit(X, y), X)


@native.artifact("CatBoost, pandas' categories")
def catboost_native() -> Fitted:
    X, y = categorical()
    return Fitted(catboost_model(cat_features=["sex", "port"]).fit(X, y), X)


@native.artifact("CatBoost, integers")
def catboost_integers() -> Fitted:
    X, y = data.people("zip", "fare")
    return Fitted(catboost_model(cat_features=["zip"]).fit(X, y), X)


@native.artifact("CatBoost, integers said to be numeric")
def catboost_numeric() -> Fitted:
    X, y = data.people("zip", "fare")
    features = [
        {"name": "zip", "type": "numeric"},
        {"name": "fare", "type": "numeric"},
    ]
    return Fitted(catboost_model(cat_features=["zip"]).fit(X, y), X, features)


@native.artifact("CatBoost, booleans")
def catboost_booleans() -> Fitted:
    X, y = data.people("member", "fare")
    return Fitted(catboost_model(cat_features=["member"]).fit(X, y), X)


@native.artifact("CatBoost, text_features")
def catboost_text_features() -> Fitted:
    import pandas as pd

    messages, labels = data.texts()
    X = pd.DataFrame({"message": messages})
    return Fitted(catboost_model(text_features=["message"]).fit(X, labels), X)


@native.artifact("histogram boosting, from_dtype")
def histogram() -> Fitted:
    X, y = categorical(missing=True)
    model = HistGradientBoostingClassifier(
        max_iter=10, categorical_features="from_dtype"
    )
    return Fitted(model.fit(X, y), X)


def lightgbm_booster(load: Any, **parameters: Any) -> tuple[Any, Any]:
    """Return what lgb.train returns, and the data."""
    import lightgbm

    X, y = load()
    quiet = {"verbose": -1, "num_threads": 1, **parameters}
    return lightgbm.train(quiet, lightgbm.Dataset(X, y), num_boost_round=10), X


def xgboost_booster(load: Any, **parameters: Any) -> tuple[Any, Any]:
    """Return what xgb.train returns, and the data."""
    import xgboost

    X, y = load()
    return xgboost.train(
        parameters, xgboost.DMatrix(X, y), num_boost_round=10
    ), X


@bare.artifact("lgb.train, a number")
def lightgbm_number() -> Fitted:
    booster, X = lightgbm_booster(data.diabetes, objective="regression")
    return Fitted(booster, X, task="REGRESSION")


@bare.artifact("lgb.train, two classes")
def lightgbm_binary() -> Fitted:
    booster, X = lightgbm_booster(data.cancer, objective="binary")
    return Fitted(
        booster,
        X,
        predict=lambda rows: (booster.predict(rows) > 0.5).astype(int),
        predict_proba=lambda rows: pair(booster.predict(rows)),
        called=["0", "1"],
        task="BINARY_CLASSIFICATION",
    )


@bare.artifact("lgb.train, three classes")
def lightgbm_three() -> Fitted:
    booster, X = lightgbm_booster(
        data.iris, objective="multiclass", num_class=3
    )
    return Fitted(
        booster,
        X,
        predict=lambda rows: booster.predict(rows).argmax(axis=1),
        predict_proba=booster.predict,
        called=["0", "1", "2"],
        task="MULTICLASS_CLASSIFICATION",
    )


@bare.artifact("xgb.train, a number")
def xgboost_number() -> Fitted:
    import xgboost

    booster, X = xgboost_booster(data.diabetes)
    return Fitted(
        booster, X, predict=lambda rows: booster.predict(xgboost.DMatrix(rows))
    )


@bare.artifact("xgb.train, two classes")
def xgboost_binary() -> Fitted:
    import xgboost

    booster, X = xgboost_booster(data.cancer, objective="binary:logistic")

    def predict_proba(rows: Any) -> Any:
        return pair(booster.predict(xgboost.DMatrix(rows)))

    return Fitted(
        booster,
        X,
        predict=lambda rows: predict_proba(rows).argmax(axis=1),
        predict_proba=predict_proba,
        called=["0", "1"],
        task="BINARY_CLASSIFICATION",
    )


@bare.artifact("the booster of an LGBMClassifier")
def lightgbm_inner() -> Fitted:
    X, y = data.cancer()
    booster = lightgbm_model().fit(X, y).booster_
    return Fitted(
        booster,
        X,
        predict=lambda rows: (booster.predict(rows) > 0.5).astype(int),
        predict_proba=lambda rows: pair(booster.predict(rows)),
        called=["0", "1"],
        task="BINARY_CLASSIFICATION",
    )


def pair(probability: Any) -> Any:
    """Return the probabilities of both classes."""
    return np.column_stack([1 - probability, probability])


def queries() -> tuple[Any, Any, Any]:
    """Return documents, how relevant they are, and the query of each."""
    X, y = data.iris()
    return X, y, np.repeat(np.arange(15), 10)


@rankers.artifact("LGBMRanker")
def lightgbm_ranker() -> Fitted:
    X, y, query = queries()
    sizes = np.bincount(query)
    return Fitted(
        lightgbm_model("LGBMRanker", min_child_samples=5).fit(
            X, y, group=sizes
        ),
        X,
    )


@rankers.artifact("XGBRanker")
def xgboost_ranker() -> Fitted:
    X, y, query = queries()
    return Fitted(xgboost_model("XGBRanker").fit(X, y, qid=query), X)


@rankers.artifact("CatBoostRanker")
def catboost_ranker() -> Fitted:
    X, y, query = queries()
    return Fitted(
        catboost_model("CatBoostRanker").fit(X, y, group_id=query), X
    )


def of_one_class(model: Any) -> Fitted:
    """Fit a model to passengers who all survived."""
    X, y = data.people("fare", "siblings")
    return Fitted(model.fit(X, np.ones(len(y), dtype=int)), X)


@one_class.artifact("RandomForestClassifier")
def forest() -> Fitted:
    return of_one_class(RandomForestClassifier(5))


@one_class.artifact("DecisionTreeClassifier")
def tree() -> Fitted:
    return of_one_class(DecisionTreeClassifier())


@one_class.artifact("GaussianNB")
def bayes() -> Fitted:
    return of_one_class(GaussianNB())


@one_class.artifact("DummyClassifier")
def dummy() -> Fitted:
    return of_one_class(DummyClassifier())


@one_class.artifact("HistGradientBoostingClassifier")
def histogram_of_one() -> Fitted:
    return of_one_class(HistGradientBoostingClassifier(max_iter=5))


@one_class.artifact("LGBMClassifier")
def lightgbm_of_one() -> Fitted:
    return of_one_class(lightgbm_model())


@one_class.artifact("XGBClassifier")
def xgboost_of_one() -> Fitted:
    X, y = data.people("fare", "siblings")
    return Fitted(xgboost_model().fit(X, np.zeros(len(y), dtype=int)), X)
