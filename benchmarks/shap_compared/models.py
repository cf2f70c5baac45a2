"""The models that are compared: regressors and classifiers on data of several kinds."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from python.model.estimator import Steps, split_steps
from python.model.explain.origins import find_origins
from python.model.trees import TreeModel, read_trees
from python.model.types import Estimator, Matrix
from tests.model.explain.tree_models import CLASSIFIERS, COLOURS, REGRESSORS

N_ROWS = 120
MISSING_SHARE = 0.15
FAMILIES = ("forest", "histogram boosting", "LightGBM", "XGBoost")


Make = Callable[[np.random.Generator], Matrix]


class Fitted(NamedTuple):
    """A fitted model, and the rows it was fitted with.

    `is_cast` says whether shap gets its rows in the precision in which the trees compare values.
    """

    data_name: str
    model_name: str
    estimator: Estimator
    data: pd.DataFrame
    is_cast: bool = True

    @property
    def steps(self) -> Steps:
        """The steps of a pipeline."""
        return split_steps(self.estimator)

    @property
    def trees(self) -> TreeModel:
        """The trees of the last step."""
        trees = read_trees(self.steps.predictor)
        if trees is None:
            raise TypeError(f"{self.model_name} has no trees that are read")
        return trees

    @property
    def origins(self) -> Any:
        """The feature of each column that the last step takes."""
        return find_origins(self.steps, self.data.shape[1], self.data.head(12))


def numbers(make: Make) -> pd.DataFrame:
    """Return five features: three of a kind, a flag and a measurement."""
    choose = np.random.default_rng(7)
    data = pd.DataFrame()
    for name in ("first", "second", "third"):
        data[name] = make(choose)
    data["flag"] = choose.integers(0, 2, N_ROWS).astype(float)
    data["measured"] = choose.normal(size=N_ROWS)
    return data


def whole_numbers(choose: np.random.Generator) -> Matrix:
    """Return whole numbers from 0 to 9."""
    return choose.integers(0, 10, N_ROWS).astype(float)


def any_numbers(choose: np.random.Generator) -> Matrix:
    """Return numbers of which no two are alike."""
    return choose.normal(size=N_ROWS)


def decimals(choose: np.random.Generator) -> Matrix:
    """Return numbers with one decimal, as prices, rates and sensors have them."""
    return choose.integers(-5, 6, N_ROWS) / 10


def seconds(choose: np.random.Generator) -> Matrix:
    """Return times of a quarter of an hour in seconds since 1970."""
    return np.asarray(1.7e9 + choose.integers(0, 900, N_ROWS))


def ids(choose: np.random.Generator) -> Matrix:
    """Return whole numbers above 2**24, where float32 skips every second one."""
    return np.asarray(2.0**24 + choose.integers(0, 50, N_ROWS))


def target_of(data: pd.DataFrame) -> Matrix:
    """Return a number for each row, in which features work alone and together."""
    filled = data.fillna(0.0)
    scaled = (filled - filled.mean()) / filled.std()
    total = scaled.sum(axis=1) + 2 * scaled["first"] * scaled["flag"]
    total += scaled["second"] * scaled["measured"]
    return np.asarray(total)


def fitted_models() -> Iterator[Fitted]:
    """Yield the models of the table."""
    for name in FAMILIES:
        yield regression("whole numbers", name, numbers(whole_numbers))
    for name in ("forest", "LightGBM"):
        yield regression("no two alike", name, numbers(any_numbers))
    for name in CLASSIFIERS:
        yield regression("one decimal", name, numbers(decimals))
    for name in FAMILIES:
        yield regression("Unix seconds", name, numbers(seconds))
    uncast = regression("Unix seconds", "XGBoost", numbers(seconds))
    yield uncast._replace(
        model_name="XGBoost, float64 as it is", is_cast=False
    )
    for name in FAMILIES:
        yield regression("ids above `2**24`", name, numbers(ids))
    for offset, name in (
        (300.0, "boosting"),
        (300.0, "XGBoost"),
        (1e5, "forest"),
        (1e5, "LightGBM"),
        (1e5, "XGBoost"),
    ):
        title = f"one decimal, target + {offset:,.0f}"
        yield regression(title, name, numbers(decimals), offset)
    for name in ("forest", "LightGBM", "XGBoost"):
        yield scaled(name, numbers(whole_numbers))
    for name in ("forest", "LightGBM", "XGBoost"):
        yield encoded(name)
    yield from with_categories()
    yield from of_missing_values()
    yield from classifiers()


def make_regressor(name: str) -> Estimator:
    """Return a regressor that is fitted alike each time."""
    return REGRESSORS[name]().set_params(random_state=0)


def regression(
    data_name: str, name: str, data: pd.DataFrame, offset: float = 0.0
) -> Fitted:
    """Return a fitted regressor."""
    model = make_regressor(name).fit(data, target_of(data) + offset)
    return Fitted(data_name, name, model, data)


def scaled(name: str, data: pd.DataFrame) -> Fitted:
    """Return a regressor behind a StandardScaler."""
    model = make_pipeline(StandardScaler(), make_regressor(name))
    model.fit(data, target_of(data))
    return Fitted("whole numbers, scaled", name, model, data)


def with_colours() -> pd.DataFrame:
    """Return whole numbers and a category."""
    data = numbers(whole_numbers).drop(columns="third")
    colours = np.random.default_rng(9).choice(COLOURS, N_ROWS)
    data["colour"] = pd.Categorical(colours, COLOURS)
    return data


def target_with_colours(data: pd.DataFrame) -> Matrix:
    """Return a number for each row, in which the colour works, too."""
    is_red = data["colour"] == "red"
    is_blue = data["colour"] == "blue"
    total = target_of(data.drop(columns="colour")) + 3.0 * is_red
    return np.asarray(total - 2.0 * is_blue * data["flag"])


def encoded(name: str) -> Fitted:
    """Return a regressor behind a one-hot encoder, which makes a sparse matrix."""
    data = with_colours()
    model = make_pipeline(encode_colours(), make_regressor(name))
    model.fit(data, target_with_colours(data))
    return Fitted("colours, one-hot", name, model, data)


def encode_colours() -> Any:
    """Return an encoder of colours that leaves the other features as they are."""
    encode = OneHotEncoder(handle_unknown="ignore")
    return make_column_transformer(
        (encode, ["colour"]), remainder="passthrough", sparse_threshold=1.0
    )


def with_categories() -> Iterator[Fitted]:
    """Yield regressors that split by categories themselves."""
    data = with_colours()
    target = target_with_colours(data)
    histogram = make_regressor("histogram boosting")
    histogram.set_params(categorical_features="from_dtype").fit(data, target)
    yield Fitted("colours", "histogram boosting", histogram, data)
    lightgbm = make_regressor("LightGBM").fit(data, target)
    yield Fitted("colours", "LightGBM", lightgbm, data)


def of_missing_values() -> Iterator[Fitted]:
    """Yield models that read a number, or an absent one, as missing."""
    data = numbers(whole_numbers)
    zero_is_missing = make_regressor("LightGBM, 0 is missing")
    zero_is_missing.fit(data, target_of(data))
    name = "LightGBM, `zero_as_missing`"
    yield Fitted("whole numbers", name, zero_is_missing, data)
    gaps = np.random.default_rng(8).random(data.shape) < MISSING_SHARE
    data = data.mask(gaps)
    marked = data.fillna(-999.0)
    model = make_regressor("XGBoost").set_params(missing=-999.0)
    model.fit(marked, target_of(data))
    yield Fitted("whole numbers", "XGBoost, `missing=-999`", model, marked)
    for name in ("histogram boosting", "XGBoost"):
        yield regression("whole numbers, some missing", name, data)


def classifiers() -> Iterator[Fitted]:
    """Yield classifiers, which are explained in probabilities where there is a background."""
    data = numbers(decimals)
    total = target_of(data)
    for name, n_classes in (
        ("forest", 3),
        ("boosting", 2),
        ("LightGBM", 2),
        ("LightGBM", 3),
        ("XGBoost", 2),
    ):
        limits = np.quantile(total, np.arange(1, n_classes) / n_classes)
        model = CLASSIFIERS[name]().fit(data, np.digitize(total, limits))
        yield Fitted(
            "one decimal", f"{name}, {n_classes} classes", model, data
        )
