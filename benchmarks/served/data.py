"""The data that the artifacts are fitted with: small, made up, and always the same."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression

ROWS = 300
PORTS = ["Cherbourg", "Queenstown", "Southampton"]
ZIPS = [10115, 20095, 50667, 80331, 1067, 4109]
SPAM = ["win", "cash", "prize", "free", "click", "offer"]
HAM = ["meeting", "lunch", "report", "tomorrow", "family", "train"]
BOTH = ["please", "now", "the", "for", "you", "today"]


def iris() -> tuple[Any, Any]:
    """Return four measures of 150 flowers, as a frame, and their species."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    return _shuffled(X, y)


def cancer() -> tuple[Any, Any]:
    """Return 30 measures of 300 tumours, as a frame, and whether they are benign."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return _shuffled(X, y)


def diabetes() -> tuple[Any, Any]:
    """Return ten measures of 300 patients, as a frame, and the progress of the disease."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return _shuffled(X, y)


def people(*columns: str) -> tuple[Any, Any]:
    """Return passengers, with all columns or with these, and whether they survived.

    Texts, integers, booleans and dates are of pandas' usual types; ages are missing for some.
    """
    choose = np.random.default_rng(0)
    age = choose.normal(35, 14, ROWS).clip(1, 80).round(1)
    sex = choose.choice(["female", "male"], ROWS)
    zips = choose.choice(ZIPS, ROWS)
    fare = choose.lognormal(3, 1, ROWS).round(2)
    booked = pd.Timestamp("2023-01-01 08:30") + pd.to_timedelta(
        choose.integers(0, 700, ROWS), unit="D"
    )
    member = choose.random(ROWS) < 0.3
    score = 2.0 * (sex == "female") + 1.5 * np.isin(zips, ZIPS[:2]) + member
    score += 0.01 * fare - 0.02 * age + 1.5 * (booked.month > 6)
    survived = (score + choose.normal(0, 0.7, ROWS) > 1.6).astype(int)
    frame = pd.DataFrame(
        {
            "sex": sex,
            "age": np.where(choose.random(ROWS) < 0.15, np.nan, age),
            "fare": fare,
            "siblings": choose.integers(0, 4, ROWS),
            "zip": zips,
            "port": choose.choice(PORTS, ROWS),
            "member": member,
            "booked": booked,
        }
    )
    return (frame[list(columns)] if columns else frame), pd.Series(survived)


def yes_no(target: Any) -> Any:
    """Return a target of 0 and 1 as texts."""
    return target.map({0: "no", 1: "yes"})


def lacking(column: Any, missing: Any) -> Any:
    """Return a column of objects in which every seventh value is `missing`."""
    values = [
        missing if row % 7 == 3 else value for row, value in enumerate(column)
    ]
    return pd.Series(values, index=column.index, dtype=object)


def texts() -> tuple[list[str], list[str]]:
    """Return short messages, and which of them are spam."""
    choose = np.random.default_rng(0)
    messages, labels = [], []
    for _ in range(ROWS):
        label = str(choose.choice(["ham", "spam"]))
        words = SPAM if label == "spam" else HAM
        other = HAM if label == "spam" else SPAM
        chosen = choose.choice(
            words * 2 + other + BOTH * 2, choose.integers(3, 9)
        )
        messages.append(" ".join(chosen))
        labels.append(label)
    return messages, labels


def dicts() -> tuple[list[dict[str, Any]], Any]:
    """Return records as a list of dicts, as DictVectorizer takes them, and a target."""
    frame, target = people("sex", "port", "fare")
    rows = []
    for sex, port, fare in frame.itertuples(index=False):
        rows.append({"sex": sex, "port": port, "fare": float(fare)})
    return rows, target


def several_labels() -> tuple[Any, Any]:
    """Return measures of flowers, and a matrix of three labels, each 0 or 1."""
    X, y = iris()
    width, length = X.iloc[:, 1], X.iloc[:, 0]
    labels = [y > 0, width > width.median(), length > length.median()]
    return X, np.column_stack(labels).astype(int)


def _shuffled(X: Any, y: Any) -> tuple[Any, Any]:
    order = np.random.default_rng(0).permutation(len(X))[:ROWS]
    return X.iloc[order].reset_index(drop=True), y.iloc[order].reset_index(
        drop=True
    )


# Functions that a user would keep in a module. They can be imported where the model is served.


def as_text(columns: Any) -> Any:
    """Return every value as text: the 10115 of an integer column as "10115"."""
    return columns.astype(str)


def each_as_text(columns: Any) -> Any:
    """Return every value of a frame as Python spells it."""
    return pd.DataFrame(columns).map(str)


def join_columns(columns: Any) -> Any:
    """Return all columns of a frame joined to one text."""
    joined = columns.astype(str).agg("-".join, axis=1)
    return joined.to_frame("joined")


REGIONS = {
    10115: 3.0,
    20095: 2.5,
    50667: 1.0,
    80331: 4.0,
    1067: 0.5,
    4109: 0.7,
}


def look_up(columns: Any) -> Any:
    """Return a number for each value that the table of regions knows by its text."""
    by_text = {str(number): region for number, region in REGIONS.items()}
    return (
        columns.astype(str)
        .apply(lambda column: column.map(by_text))
        .fillna(-1)
    )


def hash_integers(columns: Any) -> Any:
    """Return a bucket for each value, by the bytes of its text."""
    import zlib

    def bucket(value: Any) -> int:
        return zlib.crc32(str(value).encode()) % 16

    return pd.DataFrame(columns).map(bucket)


def last_digits(columns: Any) -> Any:
    """Return the last digit of large whole numbers."""
    return columns.astype("int64") % 10


def date_parts(columns: Any) -> Any:
    """Return month, weekday and hour of each date."""
    parts = {}
    for name in columns:
        dates = columns[name].dt
        parts[f"{name}_month"] = dates.month
        parts[f"{name}_weekday"] = dates.dayofweek
        parts[f"{name}_hour"] = dates.hour
    return pd.DataFrame(parts)


def date_numbers(columns: Any) -> Any:
    """Return each date as the integer that pandas holds."""
    return columns.astype("int64").astype(float)


def parse_dates(columns: Any) -> Any:
    """Return month and weekday of dates that are texts."""
    return date_parts(columns.apply(pd.to_datetime))


def days_since(columns: Any) -> Any:
    """Return the days from the start of 2023 until each date."""
    start = pd.Timestamp("2023-01-01")
    return columns.apply(lambda column: (column - start).dt.days)


def fill_unknown(columns: Any) -> Any:
    """Return texts, "unknown" where one is missing."""
    return columns.fillna("unknown")


def is_none(columns: Any) -> Any:
    """Return for each value whether it is None, and not NaN."""
    return pd.DataFrame(columns).map(lambda value: float(value is None))


def first_column(columns: Any) -> Any:
    """Return the first column alone, as a Series."""
    return columns.iloc[:, 0]


def log(target: Any) -> Any:
    """Return the logarithm of a target."""
    return np.log(target)


def exp(target: Any) -> Any:
    """Return what `log` was taken of."""
    return np.exp(target)


def split_words(messages: Any) -> list[list[str]]:
    """Return the words of each message."""
    return [message.split() for message in messages]


class SortingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that sorts its columns by name, as some AutoML objects do."""

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to the sorted columns, and name these."""
        self.feature_names_in_ = np.array(sorted(X.columns), dtype=object)
        self.inner_ = LogisticRegression(max_iter=2000).fit(self._sorted(X), y)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X: Any) -> Any:
        """Return labels for a frame with its columns in any order."""
        return self.inner_.predict(self._sorted(X))

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities for a frame with its columns in any order."""
        return self.inner_.predict_proba(self._sorted(X))

    def _sorted(self, X: Any) -> Any:
        return X[list(self.feature_names_in_)]
