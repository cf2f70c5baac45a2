"""Dates: parts of them, numbers of them, time zones, texts."""

from typing import Any

from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import REFUSE, Fitted, examples_of, first_rows

group = Group("Dates")


def fit(step: Any, change: Any = None, **more: Any) -> Fitted:
    """Fit the step to the dates, with the fare beside them."""
    X, y = data.people("fare", "booked")
    X = X if change is None else X.assign(booked=change(X.booked))
    columns = make_column_transformer(
        (step, ["booked"]), remainder="passthrough"
    )
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=10))
    return Fitted(model.fit(X, y), X, **more)


def function(of_columns: Any) -> Any:
    """Return a step that calls a function of the user's module."""
    return FunctionTransformer(of_columns)


@group.artifact("month, weekday and hour")
def parts() -> Fitted:
    return fit(function(data.date_parts))


@group.artifact("days since a date")
def days() -> Fitted:
    return fit(function(data.days_since))


@group.artifact("the integer that pandas holds, nanoseconds")
def nanoseconds() -> Fitted:
    return fit(
        function(data.date_numbers),
        lambda dates: dates.astype("datetime64[ns]"),
    )


@group.artifact("the integer that pandas holds, microseconds")
def microseconds() -> Fitted:
    features = [
        {"name": "fare", "type": "numeric"},
        {"name": "booked", "type": "datetime", "dtype": "datetime64[us]"},
    ]

    def change(dates: Any) -> Any:
        return dates.astype("datetime64[us]")

    return fit(function(data.date_numbers), change, features=features)


@group.artifact("the integer that pandas holds, seconds, unit unsaid")
def seconds_unsaid() -> Fitted:
    features = [
        {"name": "fare", "type": "numeric"},
        {"name": "booked", "type": "datetime"},
    ]
    X, _ = data.people("fare", "booked")
    X = X.astype({"booked": "datetime64[s]"})
    model = fit(
        function(data.date_numbers),
        lambda dates: dates.astype("datetime64[s]"),
    )
    examples = examples_of(model.model, first_rows(X, 10))
    return Fitted(model.model, X, features, extra={"examples": examples})


@group.artifact("with missing dates")
def missing() -> Fitted:
    return fit(
        function(data.date_parts),
        lambda dates: dates.mask(dates.index % 7 == 3),
    )


@group.artifact("in UTC")
def utc() -> Fitted:
    return fit(
        function(data.date_parts), lambda dates: dates.dt.tz_localize("UTC")
    )


@group.artifact("in Paris' time")
def paris() -> Fitted:
    def change(dates: Any) -> Any:
        return dates.dt.tz_localize("UTC").dt.tz_convert("Europe/Paris")

    return fit(function(data.date_parts), change)


@group.artifact("dates without a time, one-hot")
def encoded() -> Fitted:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return fit(
        encoder, lambda dates: dates.dt.to_period("M").dt.to_timestamp()
    )


@group.artifact("texts that a function parses")
def texts() -> Fitted:
    return fit(
        function(data.parse_dates),
        lambda dates: dates.dt.strftime("%Y-%m-%d %H:%M"),
    )


@group.artifact("dates said to be strings")
def said_string() -> Fitted:
    features = [
        {"name": "fare", "type": "numeric"},
        {"name": "booked", "type": "string"},
    ]
    return fit(function(data.date_parts), features=features, should=REFUSE)


@group.artifact("texts said to be dates")
def said_datetime() -> Fitted:
    features = [
        {"name": "fare", "type": "numeric"},
        {"name": "booked", "type": "datetime"},
    ]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)

    def change(dates: Any) -> Any:
        return dates.dt.strftime("%Y-%m-01")

    return fit(encoder, change, features=features, should=REFUSE)


@group.artifact("one column of dates alone")
def alone() -> Fitted:
    X, y = data.people("booked")
    model = make_pipeline(
        function(data.date_parts), DecisionTreeClassifier(max_depth=4)
    )
    return Fitted(model.fit(X, y), X)


@group.artifact("Timestamps in the samples")
def samples() -> Fitted:
    extra = {"samples": first_rows(data.people("fare", "booked")[0], 20)}
    return fit(function(data.date_parts), extra=extra)


@group.artifact("samples that are records with Timestamps")
def sample_records() -> Fitted:
    X = data.people("fare", "booked")[0]
    records = first_rows(X, 20).to_dict("records")
    return fit(function(data.date_parts), extra={"samples": records})
