"""Text models, in every form in which people fit them."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import Fitted, examples_of, first_rows

group = Group("Text models")


def fit(model: Any, convert: Any = list, y: Any = None, **more: Any) -> Fitted:
    """Fit the model to the messages, in the form that `convert` gives them."""
    messages, labels = data.texts()
    X = convert(messages)
    return Fitted(model.fit(X, labels if y is None else y), X, **more)


def tfidf(predictor: Any = None) -> Any:
    """Return the pipeline of most tutorials."""
    return make_pipeline(TfidfVectorizer(), predictor or LogisticRegression())


@group.artifact("TfidfVectorizer, LogisticRegression, a list of texts")
def of_list() -> Fitted:
    return fit(tfidf())


@group.artifact("the same, a Series")
def of_series() -> Fitted:
    return fit(tfidf(), lambda messages: pd.Series(messages, name="message"))


@group.artifact("the same, a 1-d array of objects")
def of_array() -> Fitted:
    return fit(tfidf(), lambda messages: np.array(messages, dtype=object))


@group.artifact("the same, a 1-d array of strings")
def of_string_array() -> Fitted:
    return fit(tfidf(), np.array)


@group.artifact("the same, inside GridSearchCV")
def in_search() -> Fitted:
    grid = {"logisticregression__C": [0.1, 1.0]}
    return fit(GridSearchCV(tfidf(), grid, cv=3))


@group.artifact("the same, with examples in the artifact")
def with_examples() -> Fitted:
    messages, labels = data.texts()
    model = tfidf().fit(messages, labels)
    examples = examples_of(model, first_rows(messages, 5))
    examples["records"] = [{"text": message} for message in messages[:5]]
    return Fitted(model, messages, extra={"examples": examples})


@group.artifact("CountVectorizer, TfidfTransformer, MultinomialNB")
def bayes() -> Fitted:
    return fit(
        make_pipeline(CountVectorizer(), TfidfTransformer(), MultinomialNB())
    )


@group.artifact("HashingVectorizer, SGDClassifier")
def hashing() -> Fitted:
    return fit(
        make_pipeline(HashingVectorizer(n_features=256), SGDClassifier())
    )


@group.artifact("characters, LinearSVC")
def characters() -> Fitted:
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3))
    return fit(make_pipeline(vectorizer, LinearSVC()))


@group.artifact("TruncatedSVD, forest")
def topics() -> Fitted:
    forest = RandomForestClassifier(10, max_depth=4, random_state=0)
    return fit(make_pipeline(TfidfVectorizer(), TruncatedSVD(4), forest))


@group.artifact("FeatureUnion of words and characters")
def union() -> Fitted:
    both = make_union(TfidfVectorizer(), CountVectorizer(analyzer="char"))
    return fit(make_pipeline(both, LogisticRegression()))


@group.artifact("a text column in a ColumnTransformer, with a number")
def in_columns() -> Fitted:
    messages, labels = data.texts()
    lengths = [float(len(message)) for message in messages]
    X = pd.DataFrame({"message": messages, "length": lengths})
    columns = make_column_transformer(
        (TfidfVectorizer(), "message"), (StandardScaler(), ["length"])
    )
    return Fitted(
        make_pipeline(columns, LogisticRegression()).fit(X, labels), X
    )


@group.artifact("a text column alone in a ColumnTransformer")
def only_column() -> Fitted:
    messages, labels = data.texts()
    X = pd.DataFrame({"message": messages})
    columns = make_column_transformer((TfidfVectorizer(), "message"))
    return Fitted(
        make_pipeline(columns, LogisticRegression()).fit(X, labels), X
    )


@group.artifact("two text columns")
def two_columns() -> Fitted:
    messages, labels = data.texts()
    X = pd.DataFrame(
        {"subject": messages, "body": messages[1:] + messages[:1]}
    )
    columns = make_column_transformer(
        (TfidfVectorizer(), "subject"), (CountVectorizer(), "body")
    )
    return Fitted(
        make_pipeline(columns, LogisticRegression()).fit(X, labels), X
    )


@group.artifact("a column picked by a function, a frame")
def picked() -> Fitted:
    messages, labels = data.texts()
    X = pd.DataFrame({"message": messages})
    pick = FunctionTransformer(data.first_column)
    model = make_pipeline(pick, TfidfVectorizer(), LogisticRegression())
    return Fitted(model.fit(X, labels), X)


@group.artifact("a regression on texts")
def regression() -> Fitted:
    lengths = [float(len(message)) for message in data.texts()[0]]
    return fit(make_pipeline(TfidfVectorizer(), Ridge()), y=lengths)


@group.artifact("DictVectorizer, a list of dicts")
def vectorized_dicts() -> Fitted:
    rows, y = data.dicts()
    model = make_pipeline(DictVectorizer(), LogisticRegression(max_iter=500))
    return Fitted(model.fit(rows, y), rows)


@group.artifact("FeatureHasher, a list of dicts")
def hashed_dicts() -> Fitted:
    rows, y = data.dicts()
    model = make_pipeline(FeatureHasher(32), LogisticRegression(max_iter=500))
    return Fitted(model.fit(rows, y), rows)


@group.artifact("FeatureHasher, lists of words")
def hashed_words() -> Fitted:
    split = FunctionTransformer(data.split_words)
    hasher = FeatureHasher(64, input_type="string")
    return fit(make_pipeline(split, hasher, LogisticRegression()))
