"""Several outputs, outlier detectors, mixtures and clusters."""

from typing import Any

from sklearn.cluster import KMeans
from sklearn.covariance import EllipticEnvelope
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import (
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    RegressorChain,
)
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from benchmarks.served import data
from benchmarks.served.groups.boosters import catboost_model, xgboost_model
from benchmarks.served.registry import Group
from benchmarks.served.writing import Fitted

labels = Group("Several labels")
numbers = Group("Several numbers")
outliers = Group("Outlier detectors")
mixtures = Group("Mixtures and clusters")


def fit_labels(model: Any) -> Fitted:
    """Fit a model to three labels of each flower."""
    X, y = data.several_labels()
    return Fitted(model.fit(X, y), X)


@labels.artifact("RandomForestClassifier")
def forest() -> Fitted:
    return fit_labels(RandomForestClassifier(10, max_depth=4))


@labels.artifact("KNeighborsClassifier")
def neighbours() -> Fitted:
    return fit_labels(KNeighborsClassifier())


@labels.artifact("MultiOutputClassifier")
def one_for_each() -> Fitted:
    return fit_labels(MultiOutputClassifier(LogisticRegression(max_iter=500)))


@labels.artifact("MultiOutputClassifier, texts as labels")
def text_labels() -> Fitted:
    X, y = data.several_labels()
    named = y.astype(str).astype(object)
    return Fitted(
        MultiOutputClassifier(LogisticRegression(max_iter=500)).fit(X, named),
        X,
    )


@labels.artifact("ClassifierChain")
def chain() -> Fitted:
    return fit_labels(ClassifierChain(LogisticRegression(max_iter=500)))


@labels.artifact("OneVsRestClassifier")
def one_against_rest() -> Fitted:
    return fit_labels(OneVsRestClassifier(LogisticRegression(max_iter=500)))


@labels.artifact("MLPClassifier")
def network() -> Fitted:
    scaled = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=300))
    return fit_labels(scaled)


@labels.artifact("XGBClassifier")
def xgboost_labels() -> Fitted:
    return fit_labels(xgboost_model())


@labels.artifact("CatBoostClassifier, MultiLogloss")
def catboost_labels() -> Fitted:
    return fit_labels(catboost_model(loss_function="MultiLogloss"))


def fit_numbers(model: Any) -> Fitted:
    """Fit a model to two numbers of each patient."""
    X, y = data.diabetes()
    return Fitted(
        model.fit(X.drop(columns="bmi"), pair(X, y)), X.drop(columns="bmi")
    )


def pair(X: Any, y: Any) -> Any:
    """Return two targets, (n_rows, 2)."""
    import numpy as np

    return np.column_stack([y, 100 * X["bmi"]])


@numbers.artifact("LinearRegression")
def linear() -> Fitted:
    return fit_numbers(LinearRegression())


@numbers.artifact("RandomForestRegressor")
def forest_of_numbers() -> Fitted:
    return fit_numbers(RandomForestRegressor(10, max_depth=4))


@numbers.artifact("RegressorChain")
def chain_of_numbers() -> Fitted:
    return fit_numbers(RegressorChain(Ridge()))


@numbers.artifact("PLSRegression")
def partial_least_squares() -> Fitted:
    return fit_numbers(PLSRegression(2))


@numbers.artifact("CatBoostRegressor, MultiRMSE")
def catboost_numbers() -> Fitted:
    return fit_numbers(
        catboost_model("CatBoostRegressor", loss_function="MultiRMSE")
    )


@numbers.artifact("XGBRegressor")
def xgboost_numbers() -> Fitted:
    return fit_numbers(xgboost_model("XGBRegressor"))


def fit_alone(model: Any) -> Fitted:
    """Fit a model to flowers without a target."""
    X, _ = data.iris()
    return Fitted(model.fit(X), X)


@outliers.artifact("IsolationForest")
def isolation() -> Fitted:
    return fit_alone(IsolationForest(n_estimators=10, random_state=0))


@outliers.artifact("IsolationForest in a pipeline")
def isolation_scaled() -> Fitted:
    return fit_alone(
        make_pipeline(StandardScaler(), IsolationForest(n_estimators=10))
    )


@outliers.artifact("LocalOutlierFactor, novelty")
def local() -> Fitted:
    return fit_alone(LocalOutlierFactor(novelty=True))


@outliers.artifact("OneClassSVM")
def support() -> Fitted:
    return fit_alone(OneClassSVM(nu=0.1))


@outliers.artifact("EllipticEnvelope")
def envelope() -> Fitted:
    return fit_alone(EllipticEnvelope(random_state=0))


@mixtures.artifact("GaussianMixture")
def mixture() -> Fitted:
    return fit_alone(GaussianMixture(3, random_state=0))


@mixtures.artifact("BayesianGaussianMixture in a pipeline")
def bayesian() -> Fitted:
    return fit_alone(
        make_pipeline(
            StandardScaler(), BayesianGaussianMixture(n_components=3)
        )
    )


@mixtures.artifact("KMeans")
def clusters() -> Fitted:
    return fit_alone(KMeans(3, n_init=1, random_state=0))
