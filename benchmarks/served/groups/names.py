"""Names of classes and categories: in other orders, in other spellings, too many, too few."""

from typing import Any

from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import REFUSE, Fitted

classes = Group("Class names")
group = Group("Categories")
FARE = {"name": "fare", "type": "numeric"}


def classify(target: Any, **more: Any) -> Fitted:
    """Fit a forest to fares and a target, and name its classes."""
    X, y = data.people("fare", "siblings")
    model = RandomForestClassifier(10, max_depth=4, random_state=0).fit(
        X, target(y)
    )
    return Fitted(model, X, **more)


@classes.artifact("texts, unnamed")
def unnamed() -> Fitted:
    return classify(data.yes_no)


@classes.artifact("0 and 1, named no and yes")
def named() -> Fitted:
    return classify(lambda y: y, class_names=["no", "yes"])


@classes.artifact("texts, named in the order of classes_")
def same() -> Fitted:
    return classify(data.yes_no, class_names=["no", "yes"])


@classes.artifact("texts, named in the order of unique()")
def permuted() -> Fitted:
    names = {"class_names": ["yes", "no"], "called": ["no", "yes"]}
    return classify(data.yes_no, **names, should=REFUSE)


@classes.artifact("0 and 1, named 1 and 0")
def permuted_integers() -> Fitted:
    names = {"class_names": [1, 0], "called": [0, 1]}
    return classify(lambda y: y, **names, should=REFUSE)


@classes.artifact("0 and 1, named '1' and '0', texts")
def permuted_texts() -> Fitted:
    names = {"class_names": ["1", "0"], "called": ["0", "1"]}
    return classify(lambda y: y, **names, should=REFUSE)


@classes.artifact("three texts, two of them swapped")
def three_permuted() -> Fitted:
    X, y = data.iris()
    y = y.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    names = ["setosa", "virginica", "versicolor"]
    model = LogisticRegression(max_iter=1000).fit(X, y)
    called = model.classes_.tolist()
    return Fitted(model, X, class_names=names, called=called, should=REFUSE)


@classes.artifact("texts, renamed")
def renamed() -> Fitted:
    return classify(data.yes_no, class_names=["drowned", "survived"])


@classes.artifact("one name for two classes")
def too_few() -> Fitted:
    return classify(
        data.yes_no, class_names=["yes"], called=["no", "yes"], should=REFUSE
    )


@classes.artifact("booleans")
def booleans() -> Fitted:
    return classify(lambda y: y == 1)


@classes.artifact("floats")
def floats() -> Fitted:
    return classify(lambda y: y.astype(float))


@classes.artifact("integers below zero")
def negative() -> Fitted:
    return classify(lambda y: 2 * y - 1)


@classes.artifact("texts with quotation marks and umlauts")
def odd_texts() -> Fitted:
    return classify(lambda y: y.map({0: 'größer "als"', 1: "a\\b"}))


def encode(
    encoder: Any, categories: Any = None, change: Any = None, **more: Any
) -> Fitted:
    """Fit the encoder to ports, described as a category."""
    X, y = data.people("fare", "port")
    X = X if change is None else change(X)
    columns = make_column_transformer(
        (encoder, ["port"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=2000)).fit(X, y)
    if categories is None:
        return Fitted(model, X, **more)
    port = {"name": "port", "type": "category", "categories": categories}
    return Fitted(model, X, [FARE, port], **more)


def one_hot() -> Any:
    """Return an encoder that ignores what it does not know."""
    return OneHotEncoder(handle_unknown="ignore")


@group.artifact("texts, one-hot")
def texts() -> Fitted:
    return encode(one_hot(), data.PORTS)


@group.artifact("texts, in another order")
def other_order() -> Fitted:
    return encode(one_hot(), data.PORTS[::-1])


@group.artifact("texts, in another order, OrdinalEncoder")
def other_order_ordinal() -> Fitted:
    return encode(OrdinalEncoder(), data.PORTS[::-1])


def spelt_otherwise(encoder: Any, categories: list[str]) -> Fitted:
    """Fit the encoder to ports, and describe and send them in another spelling."""
    spelling = dict(zip(data.PORTS, categories, strict=True))
    X, _ = data.people("fare", "port")
    records = X.replace({"port": spelling}).to_dict("records")
    return encode(encoder, categories, records=records, should=REFUSE)


@group.artifact("in another case than the encoder's")
def other_case() -> Fitted:
    return spelt_otherwise(one_hot(), [port.lower() for port in data.PORTS])


@group.artifact("one spelt in another way")
def misspelt() -> Fitted:
    return spelt_otherwise(
        one_hot(), ["Cherbourg", "Queenstown", "Southhampton"]
    )


@group.artifact("one spelt in another way, OrdinalEncoder, unknown as -1")
def misspelt_ordinal() -> Fitted:
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1
    )
    return spelt_otherwise(
        encoder, ["Cherbourg", "Queenstown", "Southampton "]
    )


@group.artifact("one more than the encoder knows")
def one_more() -> Fitted:
    return encode(one_hot(), [*data.PORTS, "Belfast"], should=REFUSE)


@group.artifact("pandas' category, one-hot")
def pandas_category() -> Fitted:
    return encode(one_hot(), change=lambda X: X.astype({"port": "category"}))


@group.artifact("pandas' ordered category, OrdinalEncoder")
def ordered() -> Fitted:
    def change(X: Any) -> Any:
        port = X.port.astype("category").cat.reorder_categories(
            data.PORTS[::-1], ordered=True
        )
        return X.assign(port=port)

    return encode(OrdinalEncoder(categories=[data.PORTS[::-1]]), change=change)


@group.artifact("texts said to be strings")
def strings() -> Fitted:
    return encode(one_hot())


@group.artifact("numbers as categories, one-hot")
def numbers() -> Fitted:
    X, y = data.people("fare", "siblings")
    columns = make_column_transformer(
        (one_hot(), ["siblings"]), remainder="passthrough"
    )
    siblings = {
        "name": "siblings",
        "type": "category",
        "categories": [0, 1, 2, 3],
    }
    model = make_pipeline(columns, LogisticRegression()).fit(X, y)
    return Fitted(model, X, [FARE, siblings])


@group.artifact("numbers whose categories are said as texts")
def numbers_as_texts() -> Fitted:
    X, y = data.people("fare", "siblings")
    columns = make_column_transformer(
        (one_hot(), ["siblings"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression()).fit(X, y)
    siblings = {
        "name": "siblings",
        "type": "category",
        "categories": list("0123"),
    }
    records = X.astype({"siblings": str}).to_dict("records")
    return Fitted(model, X, [FARE, siblings], records=records, should=REFUSE)
