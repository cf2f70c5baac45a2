"""The models of tutorials: scikit-learn's own data sets and its usual estimators."""

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn import (
    calibration,
    cross_decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    gaussian_process,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import Fitted

Data = Callable[[], tuple[Any, Any]]
group = Group("Classifiers of tutorials")
regressors = Group("Regressors of tutorials")
pipelines = Group("Pipelines of tutorials")

FOREST = ensemble.RandomForestClassifier(20, max_depth=5, random_state=0)
TREE = tree.DecisionTreeClassifier(max_depth=4)
LOGISTIC = linear_model.LogisticRegression(max_iter=2000)
SCALED = make_pipeline(StandardScaler(), LOGISTIC)
BOOSTING = ensemble.GradientBoostingClassifier(n_estimators=20)
HISTOGRAM = ensemble.HistGradientBoostingClassifier(max_iter=20)
VOTES = [("scaled", SCALED), ("tree", TREE)]
CLASSIFIERS: dict[str, tuple[Any, Data]] = {
    "LogisticRegression, iris": (LOGISTIC, data.iris),
    "RandomForestClassifier, iris": (FOREST, data.iris),
    "DecisionTreeClassifier, iris": (TREE, data.iris),
    "KNeighborsClassifier, iris": (
        neighbors.KNeighborsClassifier(),
        data.iris,
    ),
    "SVC, iris": (svm.SVC(), data.iris),
    "LinearSVC scaled, tumours": (
        make_pipeline(StandardScaler(), svm.LinearSVC()),
        data.cancer,
    ),
    "GaussianNB, iris": (naive_bayes.GaussianNB(), data.iris),
    "LinearDiscriminantAnalysis, iris": (
        discriminant_analysis.LinearDiscriminantAnalysis(),
        data.iris,
    ),
    "QuadraticDiscriminantAnalysis, iris": (
        discriminant_analysis.QuadraticDiscriminantAnalysis(),
        data.iris,
    ),
    "RandomForestClassifier, tumours": (FOREST, data.cancer),
    "ExtraTreesClassifier, tumours": (
        ensemble.ExtraTreesClassifier(20, max_depth=5),
        data.cancer,
    ),
    "GradientBoostingClassifier, tumours": (BOOSTING, data.cancer),
    "HistGradientBoostingClassifier, iris": (HISTOGRAM, data.iris),
    "AdaBoostClassifier, tumours": (
        ensemble.AdaBoostClassifier(n_estimators=10),
        data.cancer,
    ),
    "BaggingClassifier, iris": (
        ensemble.BaggingClassifier(n_estimators=5),
        data.iris,
    ),
    "VotingClassifier, soft, iris": (
        ensemble.VotingClassifier(VOTES, voting="soft"),
        data.iris,
    ),
    "VotingClassifier, hard, iris": (
        ensemble.VotingClassifier(VOTES),
        data.iris,
    ),
    "StackingClassifier, iris": (
        ensemble.StackingClassifier(VOTES),
        data.iris,
    ),
    "MLPClassifier scaled, iris": (
        make_pipeline(
            StandardScaler(), neural_network.MLPClassifier((8,), max_iter=300)
        ),
        data.iris,
    ),
    "SGDClassifier, log loss, iris": (
        make_pipeline(
            StandardScaler(), linear_model.SGDClassifier(loss="log_loss")
        ),
        data.iris,
    ),
    "Perceptron, iris": (linear_model.Perceptron(), data.iris),
    "RidgeClassifier, tumours": (linear_model.RidgeClassifier(), data.cancer),
    "CalibratedClassifierCV of LinearSVC, tumours": (
        make_pipeline(
            StandardScaler(),
            calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=3),
        ),
        data.cancer,
    ),
    "GaussianProcessClassifier, iris": (
        gaussian_process.GaussianProcessClassifier(),
        data.iris,
    ),
    "OneVsRestClassifier, iris": (OneVsRestClassifier(LOGISTIC), data.iris),
    "DummyClassifier, iris": (dummy.DummyClassifier(), data.iris),
}
REGRESSORS: dict[str, tuple[Any, Data]] = {
    "LinearRegression, diabetes": (
        linear_model.LinearRegression(),
        data.diabetes,
    ),
    "Ridge, diabetes": (linear_model.Ridge(), data.diabetes),
    "Lasso, diabetes": (linear_model.Lasso(0.1), data.diabetes),
    "PoissonRegressor, diabetes": (
        linear_model.PoissonRegressor(),
        data.diabetes,
    ),
    "BayesianRidge, diabetes": (linear_model.BayesianRidge(), data.diabetes),
    "SVR scaled, diabetes": (
        make_pipeline(StandardScaler(), svm.SVR()),
        data.diabetes,
    ),
    "RandomForestRegressor, diabetes": (
        ensemble.RandomForestRegressor(20, max_depth=5),
        data.diabetes,
    ),
    "GradientBoostingRegressor, diabetes": (
        ensemble.GradientBoostingRegressor(n_estimators=20),
        data.diabetes,
    ),
    "KNeighborsRegressor, diabetes": (
        neighbors.KNeighborsRegressor(),
        data.diabetes,
    ),
    "PLSRegression, diabetes": (
        cross_decomposition.PLSRegression(),
        data.diabetes,
    ),
    "TransformedTargetRegressor, log, diabetes": (
        TransformedTargetRegressor(
            linear_model.Ridge(), func=data.log, inverse_func=data.exp
        ),
        data.diabetes,
    ),
    "PolynomialFeatures and Ridge, diabetes": (
        make_pipeline(PolynomialFeatures(), linear_model.Ridge()),
        data.diabetes,
    ),
    "SplineTransformer and Ridge, diabetes": (
        make_pipeline(SplineTransformer(), linear_model.Ridge()),
        data.diabetes,
    ),
    "QuantileTransformer and SVR, diabetes": (
        make_pipeline(QuantileTransformer(n_quantiles=50), svm.SVR()),
        data.diabetes,
    ),
}
PIPELINES: dict[str, tuple[Any, Data]] = {
    "PCA and LogisticRegression, tumours": (
        make_pipeline(StandardScaler(), PCA(5), LOGISTIC),
        data.cancer,
    ),
    "SelectKBest and forest, tumours": (
        make_pipeline(SelectKBest(k=8), FOREST),
        data.cancer,
    ),
    "FeatureUnion, iris": (
        make_pipeline(make_union(PCA(2), SelectKBest(k=2)), LOGISTIC),
        data.iris,
    ),
    "KBinsDiscretizer, iris": (
        make_pipeline(KBinsDiscretizer(4, strategy="uniform"), LOGISTIC),
        data.iris,
    ),
    "GridSearchCV of a pipeline, iris": (
        GridSearchCV(SCALED, {"logisticregression__C": [0.1, 1]}, cv=3),
        data.iris,
    ),
    "RandomizedSearchCV of a forest, tumours": (
        RandomizedSearchCV(FOREST, {"max_depth": [2, 3]}, n_iter=2, cv=3),
        data.cancer,
    ),
}


def fit(estimator: Any, load: Data, as_matrix: bool = False) -> Fitted:
    """Fit the estimator to a frame, or to the matrix in it."""
    X, y = load()
    if as_matrix:
        X, y = X.to_numpy(), y.to_numpy()
    return Fitted(estimator.fit(X, y), X)


for name, (estimator, load) in CLASSIFIERS.items():
    group.artifact(name)(partial(fit, estimator, load))
for name, (estimator, load) in REGRESSORS.items():
    regressors.artifact(name)(partial(fit, estimator, load))
for name, (estimator, load) in PIPELINES.items():
    pipelines.artifact(name)(partial(fit, estimator, load))
for name in ["LogisticRegression, iris", "RandomForestClassifier, tumours"]:
    estimator, load = CLASSIFIERS[name]
    group.artifact(f"{name}, a matrix")(partial(fit, estimator, load, True))


@regressors.artifact("IsotonicRegression, one column")
def isotonic() -> Fitted:
    X, y = data.diabetes()
    column = X["bmi"]
    return Fitted(
        IsotonicRegression(out_of_bounds="clip").fit(column, y), column
    )


def titanic(predictor: Any, target: Any = None) -> Fitted:
    """Fit passengers as most tutorials do: impute, scale, one-hot encode."""
    X, y = data.people("sex", "age", "fare", "siblings", "port", "member")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = make_column_transformer(
        (numbers, ["age", "fare", "siblings"]),
        (texts, ["sex", "port"]),
        remainder="passthrough",
    )
    y = y if target is None else target(y)
    return Fitted(make_pipeline(columns, predictor).fit(X, y), X)


@pipelines.artifact("Titanic: impute, scale, one-hot, LogisticRegression")
def titanic_logistic() -> Fitted:
    return titanic(LOGISTIC)


@pipelines.artifact("Titanic: forest, classes yes and no")
def titanic_forest() -> Fitted:
    return titanic(FOREST, data.yes_no)


@pipelines.artifact("Titanic: columns by their dtypes")
def titanic_selector() -> Fitted:
    X, y = data.people("sex", "fare", "siblings", "port", "member")
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_exclude="number")),
    )
    return Fitted(make_pipeline(columns, LOGISTIC).fit(X, y), X)


@pipelines.artifact("Titanic: OrdinalEncoder and histogram boosting")
def titanic_histogram() -> Fitted:
    X, y = data.people("sex", "age", "port")
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1
    )
    columns = make_column_transformer(
        (encoder, ["sex", "port"]), remainder="passthrough"
    )
    return Fitted(make_pipeline(columns, HISTOGRAM).fit(X, y), X)
