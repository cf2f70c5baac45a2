"""Estimators of other libraries, each in the environment of `requirements.txt`."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.served import data
from benchmarks.served.registry import HEAVY, Group
from benchmarks.served.writing import Fitted, examples_of

imbalanced = Group("imbalanced-learn", HEAVY)
encoders = Group("category_encoders", HEAVY)
engine = Group("feature-engine", HEAVY)
skrub_group = Group("skrub", HEAVY)
boosting = Group("interpret and NGBoost", HEAVY)
conformal = Group("mapie", HEAVY)
survival = Group("scikit-survival", HEAVY)
mapper = Group("sklearn-pandas", HEAVY)
polars_group = Group("polars", HEAVY)
arrow = Group("pyarrow", HEAVY)

FOREST = RandomForestClassifier(10, max_depth=4, random_state=0)
LOGISTIC = LogisticRegression(max_iter=2000)


def fit_people(model: Any, *columns: str) -> Fitted:
    """Fit a model to passengers with these columns."""
    X, y = data.people(*(columns or ("sex", "port", "zip", "fare")))
    return Fitted(model.fit(X, y), X)


def resampled(sampler: Any, *steps: Any) -> Fitted:
    """Fit a pipeline of imbalanced-learn to unbalanced tumours."""
    from imblearn.pipeline import make_pipeline as make_resampled

    X, y = data.cancer()
    return Fitted(
        make_resampled(StandardScaler(), sampler, *steps).fit(X, y), X
    )


@imbalanced.artifact("SMOTE, LogisticRegression")
def smote() -> Fitted:
    from imblearn.over_sampling import SMOTE

    return resampled(SMOTE(random_state=0), LOGISTIC)


@imbalanced.artifact("SMOTE, forest")
def smote_forest() -> Fitted:
    from imblearn.over_sampling import SMOTE

    return resampled(SMOTE(random_state=0), FOREST)


@imbalanced.artifact("RandomUnderSampler, forest")
def under() -> Fitted:
    from imblearn.under_sampling import RandomUnderSampler

    return resampled(RandomUnderSampler(random_state=0), FOREST)


@imbalanced.artifact("SMOTETomek, LogisticRegression")
def tomek() -> Fitted:
    from imblearn.combine import SMOTETomek

    return resampled(SMOTETomek(random_state=0), LOGISTIC)


@imbalanced.artifact("a sampler after a ColumnTransformer")
def after_columns() -> Fitted:
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline as make_resampled

    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["sex"]),
        remainder="passthrough",
    )
    return fit_people(
        make_resampled(columns, RandomOverSampler(random_state=0), LOGISTIC),
        "sex",
        "fare",
    )


@imbalanced.artifact("BalancedRandomForestClassifier")
def balanced_forest() -> Fitted:
    from imblearn.ensemble import BalancedRandomForestClassifier

    X, y = data.cancer()
    model = BalancedRandomForestClassifier(10, max_depth=4, random_state=0)
    return Fitted(model.fit(X, y), X)


@imbalanced.artifact("EasyEnsembleClassifier")
def easy() -> Fitted:
    from imblearn.ensemble import EasyEnsembleClassifier

    X, y = data.cancer()
    return Fitted(EasyEnsembleClassifier(3, random_state=0).fit(X, y), X)


ENCODERS = [
    "TargetEncoder",
    "OrdinalEncoder",
    "OneHotEncoder",
    "BinaryEncoder",
    "HashingEncoder",
    "CountEncoder",
    "CatBoostEncoder",
    "LeaveOneOutEncoder",
    "WOEEncoder",
    "JamesSteinEncoder",
]


def encoded(kind: str) -> Fitted:
    """Fit an encoder of category_encoders to texts and codes."""
    import category_encoders

    more = {"max_process": 1} if kind == "HashingEncoder" else {}
    encoder = getattr(category_encoders, kind)(
        cols=["sex", "port", "zip"], **more
    )
    return fit_people(make_pipeline(encoder, LOGISTIC))


for kind in ENCODERS:
    encoders.artifact(kind)(partial(encoded, kind))


@engine.artifact("RareLabelEncoder, OneHotEncoder")
def rare() -> Fitted:
    from feature_engine.encoding import OneHotEncoder as EngineOneHot
    from feature_engine.encoding import RareLabelEncoder

    rare_labels = RareLabelEncoder(tol=0.1, n_categories=2)
    return fit_people(
        make_pipeline(rare_labels, EngineOneHot(), LOGISTIC),
        "sex",
        "port",
        "fare",
    )


@engine.artifact("MeanMedianImputer, EqualWidthDiscretiser")
def imputed() -> Fitted:
    from feature_engine.discretisation import EqualWidthDiscretiser
    from feature_engine.imputation import MeanMedianImputer

    model = make_pipeline(
        MeanMedianImputer(), EqualWidthDiscretiser(), LOGISTIC
    )
    return fit_people(model, "age", "fare")


@engine.artifact("DatetimeFeatures")
def datetimes() -> Fitted:
    from feature_engine.datetime import DatetimeFeatures

    return fit_people(
        make_pipeline(DatetimeFeatures(), FOREST), "booked", "fare"
    )


@engine.artifact("OrdinalEncoder on integers, ignore_format")
def engine_integers() -> Fitted:
    from feature_engine.encoding import OrdinalEncoder

    encoder = OrdinalEncoder(
        variables=["zip"], encoding_method="arbitrary", ignore_format=True
    )
    return fit_people(make_pipeline(encoder, FOREST), "zip", "fare")


@engine.artifact("Winsorizer, MathFeatures")
def winsorized() -> Fitted:
    from feature_engine.creation import MathFeatures
    from feature_engine.outliers import Winsorizer

    total = MathFeatures(["fare", "siblings"], ["sum"])
    model = make_pipeline(Winsorizer(variables=["fare"]), total, LOGISTIC)
    return fit_people(model, "fare", "siblings")


@skrub_group.artifact("TableVectorizer: texts, integers, booleans, dates")
def vectorized() -> Fitted:
    from skrub import TableVectorizer

    columns = ("sex", "port", "zip", "member", "booked", "fare")
    return fit_people(make_pipeline(TableVectorizer(), FOREST), *columns)


@skrub_group.artifact("tabular_pipeline('classifier')")
def tabular() -> Fitted:
    from skrub import tabular_pipeline

    return fit_people(
        tabular_pipeline("classifier"), "sex", "age", "fare", "booked"
    )


@skrub_group.artifact("MinHashEncoder on messages")
def min_hash() -> Fitted:
    from skrub import ApplyToCols, MinHashEncoder

    messages, labels = data.texts()
    X = pd.DataFrame({"message": messages})
    model = make_pipeline(ApplyToCols(MinHashEncoder(n_components=8)), FOREST)
    return Fitted(model.fit(X, labels), X)


@skrub_group.artifact("StringEncoder in a TableVectorizer")
def string_encoder() -> Fitted:
    from skrub import StringEncoder, TableVectorizer

    messages, labels = data.texts()
    X = pd.DataFrame(
        {"message": messages, "length": [len(text) for text in messages]}
    )
    vectorizer = TableVectorizer(high_cardinality=StringEncoder(4))
    return Fitted(make_pipeline(vectorizer, FOREST).fit(X, labels), X)


@boosting.artifact("ExplainableBoostingClassifier, texts and numbers")
def glass_box() -> Fitted:
    from interpret.glassbox import ExplainableBoostingClassifier

    model = ExplainableBoostingClassifier(
        max_rounds=20, n_jobs=1, outer_bags=2
    )
    return fit_people(model, "sex", "age", "fare", "member")


@boosting.artifact("ExplainableBoostingClassifier, integers")
def glass_box_integers() -> Fitted:
    from interpret.glassbox import ExplainableBoostingClassifier

    model = ExplainableBoostingClassifier(
        max_rounds=20,
        n_jobs=1,
        outer_bags=2,
        feature_types=["nominal", "continuous"],
    )
    return fit_people(model, "zip", "fare")


@boosting.artifact("ExplainableBoostingRegressor, diabetes")
def glass_box_regressor() -> Fitted:
    from interpret.glassbox import ExplainableBoostingRegressor

    X, y = data.diabetes()
    model = ExplainableBoostingRegressor(max_rounds=20, n_jobs=1, outer_bags=2)
    return Fitted(model.fit(X, y), X)


@boosting.artifact("NGBRegressor, diabetes")
def natural() -> Fitted:
    from ngboost import NGBRegressor

    X, y = data.diabetes()
    return Fitted(NGBRegressor(n_estimators=10, verbose=False).fit(X, y), X)


@boosting.artifact("NGBClassifier, tumours")
def natural_classes() -> Fitted:
    from ngboost import NGBClassifier

    X, y = data.cancer()
    return Fitted(NGBClassifier(n_estimators=10, verbose=False).fit(X, y), X)


@conformal.artifact("SplitConformalRegressor, diabetes")
def split_conformal() -> Fitted:
    from mapie.regression import SplitConformalRegressor

    X, y = data.diabetes()
    model = SplitConformalRegressor(Ridge(), prefit=False)
    model.fit(X[:200], y[:200]).conformalize(X[200:], y[200:])
    return Fitted(model, X)


@conformal.artifact("SplitConformalClassifier, iris")
def split_classes() -> Fitted:
    from mapie.classification import SplitConformalClassifier

    X, y = data.iris()
    model = SplitConformalClassifier(LOGISTIC, prefit=False)
    model.fit(X[:100], y[:100]).conformalize(X[100:], y[100:])
    return Fitted(model, X)


def lifetimes() -> tuple[Any, Any]:
    """Return patients, and whether and when the disease returned."""
    from sksurv.util import Surv

    X, y = data.diabetes()
    return X, Surv.from_arrays(event=y > y.median(), time=y)


@survival.artifact("RandomSurvivalForest")
def survival_forest() -> Fitted:
    from sksurv.ensemble import RandomSurvivalForest

    X, y = lifetimes()
    return Fitted(
        RandomSurvivalForest(10, max_depth=4, random_state=0).fit(X, y), X
    )


@survival.artifact("CoxPHSurvivalAnalysis")
def cox() -> Fitted:
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    X, y = lifetimes()
    return Fitted(CoxPHSurvivalAnalysis(alpha=1.0).fit(X, y), X)


@survival.artifact("GradientBoostingSurvivalAnalysis in a pipeline")
def survival_boosting() -> Fitted:
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    X, y = lifetimes()
    model = GradientBoostingSurvivalAnalysis(n_estimators=10, random_state=0)
    return Fitted(make_pipeline(StandardScaler(), model).fit(X, y), X)


@mapper.artifact("DataFrameMapper: scaled and binarized columns")
def frame_mapper() -> Fitted:
    from sklearn.preprocessing import LabelBinarizer
    from sklearn_pandas import DataFrameMapper

    columns = DataFrameMapper(
        [
            (["fare"], StandardScaler()),
            ("port", LabelBinarizer()),
            (["siblings"], None),
        ]
    )
    return fit_people(
        make_pipeline(columns, LOGISTIC), "fare", "port", "siblings"
    )


@polars_group.artifact("set_output(transform='polars')")
def polars_output() -> Fitted:
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["sex"]),
        (StandardScaler(), ["fare"]),
    ).set_output(transform="polars")
    return fit_people(make_pipeline(columns, LOGISTIC), "sex", "fare")


@polars_group.artifact("a scaler with polars output before a forest")
def polars_scaler() -> Fitted:
    scaler = StandardScaler().set_output(transform="polars")
    return fit_people(make_pipeline(scaler, FOREST), "siblings", "fare")


@polars_group.artifact("a polars frame in training")
def polars_frame() -> Fitted:
    import polars

    X, y = data.people("siblings", "fare")
    model = FOREST.fit(polars.from_dict(X.to_dict("list")), y)
    return Fitted(model, X)


@arrow.artifact("pandas' string[pyarrow], one-hot")
def arrow_texts() -> Fitted:
    X, y = data.people("sex", "port")
    X = X.astype("string[pyarrow]")
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LOGISTIC)
    return Fitted(model.fit(X, y), X)


@arrow.artifact("int64[pyarrow] and double[pyarrow], a forest")
def arrow_numbers() -> Fitted:
    X, y = data.people("siblings", "fare")
    X = X.astype({"siblings": "int64[pyarrow]", "fare": "double[pyarrow]"})
    features = [
        {"name": "siblings", "type": "integer", "dtype": "int64[pyarrow]"},
        {"name": "fare", "type": "numeric", "dtype": "double[pyarrow]"},
    ]
    return Fitted(FOREST.fit(X, y), X, features)


@encoders.artifact("TargetEncoder with examples")
def encoded_examples() -> Fitted:
    import category_encoders

    X, y = data.people("sex", "zip", "fare")
    model = make_pipeline(
        category_encoders.TargetEncoder(cols=["sex", "zip"]), LOGISTIC
    )
    model.fit(X, y)
    return Fitted(model, X, extra={"examples": examples_of(model, X.head(20))})


@encoders.artifact("OrdinalEncoder, None in texts")
def encoded_none() -> Fitted:
    import category_encoders

    X, y = data.people("port", "fare")
    X = X.assign(port=data.lacking(X.port, None))
    y = np.where(X.port.isna(), 0, y)
    model = make_pipeline(
        category_encoders.OrdinalEncoder(cols=["port"]), FOREST
    )
    return Fitted(model.fit(X, y), X)
