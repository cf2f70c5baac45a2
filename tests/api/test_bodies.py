"""Every fault of a body, one by one, with its pointer and its sentence."""

import json
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from python.api.bodies import Reader
from python.api.hints import EXPECTED
from python.app import create_app
from python.model.artifact import Artifact
from python.model.data.schema import Schema
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.models import build
from tests.problems import problem
from tests.serving import Client

MISSING = "missing: the feature has no default and accepts no missing value"
GOOD = {"size": 1, "a/b ~c": 2, "größe": 3}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "there is no body"),
        (b"{", "not JSON"),
        (b'{"feature1": NaN}', "not JSON"),
        (b'{"feature1": Infinity}', "not JSON"),
        (b'{"feature1": -Infinity}', "not JSON"),
        (b'{"feature1": 1} trailing', "not JSON"),
        (b"[1,]", "not JSON"),
        (b"{'feature1': 1}", "not JSON"),
        (b'{"feature1": 01}', "not JSON"),
        (b'[{"feature1": "x"}, {', "not JSON"),
        (b'{"feature1": "\xff"}', "not JSON: byte 14 is not UTF-8"),
        (
            b'{"_data": {"feature1": 1}, "_samples": "\xff"}',
            "byte 40 is not UTF-8",
        ),
        ('[{"feature1": 1}]'.encode("utf-16"), "is not UTF-8"),
        (b'{"feature1": "\\ud800"}', "not JSON"),
        (
            b'{"feature1": ' + b"9" * 5000 + b"}",
            "a number of more digits than can be read",
        ),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"_data":' * 100_000, "nested too deeply"),
    ],
)
def test_not_json(body: bytes, detail: str, client: Client) -> None:
    problem(client().post("/predict", data=body), 400, detail, {})


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ("1", {"#": "got 1"}),
        ('"text"', {"#": 'got "text"'}),
        ("null", {"#": "got null"}),
        ("true", {"#": "got true"}),
        ('{"_data": 1}', {"#/_data": "got 1"}),
        (
            '{"_data": {"feature1": 1}, "_samples": null}',
            {"#/_samples": "got null"},
        ),
        (
            '{"_data": {"feature1": 1}, "more": 1, "_else": 2}',
            {
                "#/more": "not a member of an envelope",
                "#/_else": "not a member of an envelope",
            },
        ),
        (
            '{"_samples": {"feature1": 1}}',
            {"#/_data": "missing: an envelope needs it"},
        ),
    ],
)
def test_not_records(
    body: str, errors: dict[str, str], client: Client
) -> None:
    problem(client().post("/predict", data=body), 400, EXPECTED, errors)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("[]", "#"),
        ('{"_data": []}', "#/_data"),
        ('{"_data": {"feature1": 1}, "_samples": []}', "#/_samples"),
    ],
)
def test_no_records(body: str, pointer: str, client: Client) -> None:
    problem(
        client().post("/predict", data=body),
        422,
        "there are no records",
        {pointer: "the list is empty"},
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("{}", "#"),
        ("[{}]", "#/0"),
        ('[{"feature1": 1}, {}]', "#/1"),
        ('{"_data": {}}', "#/_data"),
        ("{ }", "#"),
    ],
)
@pytest.mark.parametrize("unknown_features", ["reject", "ignore"])
def test_an_empty_record_is_not_one_of_defaults(
    body: str, pointer: str, unknown_features: str, client: Client
) -> None:
    response = client(unknown_features=unknown_features).post(
        "/predict", data=body
    )
    problem(
        response,
        422,
        "do not fit",
        {pointer: "the record holds none of the model's features"},
    )


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"feature1": 1}',
        b'\xef\xbb\xbf [{"feature1": 1}]',
        b'\xef\xbb\xbf{"_data": {"feature1": 1}}',
    ],
)
def test_a_byte_order_mark_of_utf_8_is_ignored(
    body: bytes, client: Client
) -> None:
    assert client().post("/predict", data=body).json == {"prediction": [0]}


def test_a_name_that_looks_the_same_is_told_apart(client: Client) -> None:
    record = {"size": 1, "a/b ~c": 2, "gro\u0308\u00dfe": 3}
    errors = {
        "#/gro%CC%88%C3%9Fe": 'unknown feature; it looks the same but has other code points: write it as "gr\\u00f6\\u00dfe"',
        "#/gr%C3%B6%C3%9Fe": MISSING,
    }
    problem(
        client("logistic").post("/predict", json=record), 422, errors=errors
    )


@pytest.mark.parametrize(
    ("records", "errors"),
    [
        ({**GOOD, "größe": "3"}, {"#/gr%C3%B6%C3%9Fe": 'expected a number, got "3"'}),
        ({**GOOD, "größe": True}, {"#/gr%C3%B6%C3%9Fe": "expected a number, got true"}),
        ({**GOOD, "größe": [3]}, {"#/gr%C3%B6%C3%9Fe": "expected a number, got a list"}),
        ({**GOOD, "größe": {}}, {"#/gr%C3%B6%C3%9Fe": "expected a number, got an object"}),
        ({**GOOD, "größe": None}, {"#/gr%C3%B6%C3%9Fe": MISSING}),
        ({"size": 1, "a/b ~c": 2}, {"#/gr%C3%B6%C3%9Fe": MISSING}),
        ([GOOD, {**GOOD, "a/b ~c": "x" * 99}], {"#/1/a~1b%20~0c": f'expected a number, got "{"x" * 45}…{"x" * 15}" (99 characters)'}),
        ({**GOOD, "sise": 1}, {"#/sise": 'unknown feature; did you mean "size"?'}),
        ({**GOOD, "colour": 1}, {"#/colour": "unknown feature"}),
        ([1, GOOD, "x", [1, 2, 3]], {f"#/{n}": f"expected a record (an object), got {got}" for n, got in ((0, 1), (2, '"x"'), (3, "a list"))}),
        ({"_data": [GOOD, {"size": "x"}]}, {"#/_data/1/size": 'expected a number, got "x"', "#/_data/1/a~1b%20~0c": MISSING, "#/_data/1/gr%C3%B6%C3%9Fe": MISSING}),
        ({"_data": {**GOOD, "size": "x"}, "_samples": [{**GOOD, "size": False}]}, {"#/_data/size": 'expected a number, got "x"', "#/_samples/0/size": "expected a number, got false"}),
    ],
)  # fmt: skip
def test_records_that_do_not_fit(
    records: Any, errors: dict[str, str], client: Client
) -> None:
    problem(
        client("logistic").post("/predict", json=records),
        422,
        "do not fit the features",
        errors,
    )


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("1e400", "Infinity"),
        ("-1e400", "-Infinity"),
        ("9" * 400, "9" * 45 + "…" + "9" * 15 + " (400 characters)"),
    ],
)
def test_a_number_beyond_64_bits(
    number: str, shown: str, client: Client
) -> None:
    response = client().post("/predict", data=f'{{"feature2": {number}}}')
    problem(
        response,
        422,
        errors={
            "#/feature2": f"expected a number that fits into 64 bits, got {shown}"
        },
    )


def test_a_number_beyond_what_the_estimator_takes_is_pointed_at(
    client: Client,
) -> None:
    records = [
        {"feature1": 1},
        {"feature1": 1e300, "feature2": 1, "feature3": -1e300},
        {"feature1": 2},
        {"feature2": 1e39},
    ]
    errors = dict.fromkeys(
        ("#/1/feature1", "#/1/feature3", "#/3/feature2"),
        "the model does not take this value",
    )
    problem(
        client().post("/predict", json=records),
        422,
        "the model does not take these values",
        errors,
    )
    envelope = {"_data": records[:1], "_samples": records[1:2]}
    errors = {
        pointer.replace("#/1", "#/_samples/0"): detail
        for pointer, detail in errors.items()
        if "#/1" in pointer
    }
    problem(
        client().post("/predict?explain=1", json=envelope), 422, errors=errors
    )


def test_an_unknown_category_is_told_from_those_there_are(
    client: Client,
) -> None:
    record = {"size": 1, "weight": 1, "height": 1, "colour": "pink"}
    errors = {
        "#/0/colour": 'expected one of the categories "blue", "green", "red", got "pink"'
    }
    problem(
        client("lightgbm").post("/predict", json=[record]), 422, errors=errors
    )


def test_faults_are_cut_at_a_hundred(client: Client) -> None:
    document = problem(
        client().post("/predict", json=[{"feature1": "x", "wrong": 1}] * 200),
        422,
    )
    assert len(document["errors"]) == 100


def test_unknown_features_are_ignored_if_so_set(client: Client) -> None:
    lenient = client(unknown_features="ignore")
    expected = lenient.post("/predict?proba=1", json={"feature1": 1}).json
    assert (
        lenient.post(
            "/predict?proba=1",
            json={"feature1": 1, "wrong": [1, {"_data": 2}]},
        ).json
        == expected
    )
    problem(
        lenient.post("/predict", json={"wrong": 1}),
        422,
        errors={"#": "the record holds none of the model's features"},
    )
    problem(
        lenient.post("/predict", json={"feature1": "x", "wrong": 1}),
        422,
        errors={"#/feature1": 'expected a number, got "x"'},
    )


def test_absent_and_null_become_the_default(client: Client) -> None:
    service = client()
    expected = service.post(
        "/predict?proba=1",
        json={"feature1": 3, "feature2": -1, "feature3": -1},
    ).json
    assert (
        service.post("/predict?proba=1", json={"feature1": 3}).json == expected
    )
    assert (
        service.post(
            "/predict?proba=1", json={"feature1": 3, "feature2": None}
        ).json
        == expected
    )


def test_absent_and_null_are_missing_where_the_estimator_takes_that(
    client: Client,
) -> None:
    service = client("lightgbm")
    record = {"size": 0.5, "weight": 1.5, "height": None, "colour": None}
    expected = service.post("/predict?proba=1", json=record).json
    assert (
        service.post(
            "/predict?proba=1", json={"size": 0.5, "weight": 1.5}
        ).json
        == expected
    )


@pytest.mark.parametrize(
    "body",
    [
        b' \n\t{"feature1": 1}\r\n ',
        b'[\n{"feature1": 1.0e0}]',
        b'{"feature1":1,"feature1":1}',
        b'{"_data":{"feature1":1}}',
    ],
)
def test_json_in_any_dress(body: bytes, client: Client) -> None:
    assert (
        client().post("/predict", data=body).json
        == client().post("/predict", json={"feature1": 1}).json
    )


def test_null_is_no_category_where_nothing_may_be_missing(
    client: Client,
) -> None:
    record = {"size": 1, "weight": 1, "height": 1}
    for body in (record, record | {"colour": None}):
        problem(
            client("catboost").post("/predict", json=body),
            422,
            errors={"#/colour": MISSING},
        )


def served_with(features: list[dict[str, Any]], model: Any) -> Any:
    return create_app(
        Settings(),
        SklearnModel.load(
            Artifact.of({"model": model, "metadata": {"features": features}})
        ),
    ).test_client()


class Recorder:
    """Answers with what it is given."""

    def predict(self, X: Any) -> Any:
        self.seen = X
        return np.zeros(len(X))


@pytest.mark.parametrize(
    ("entry", "seen"),
    [
        ({"type": "numeric", "default": 0}, 0.0),
        ({"type": "string", "default": ""}, ""),
        (
            {
                "type": "category",
                "categories": [True, False],
                "default": False,
            },
            False,
        ),
        ({"type": "category", "categories": [0, 1], "default": 0}, 0),
        ({"type": "numeric", "accepts_missing": True, "default": -1}, -1.0),
        ({"type": "numeric", "accepts_missing": True}, np.nan),
        ({"type": "string", "accepts_missing": True}, np.nan),
    ],
)
def test_a_default_that_is_false_is_a_default(
    entry: dict[str, Any], seen: Any
) -> None:
    model = Recorder()
    service = served_with(
        [{"name": "x", **entry}, {"name": "y", "type": "string"}], model
    )
    for body in ({"y": "a"}, {"y": "a", "x": None}):
        assert service.post("/predict", json=body).status_code == 200
        found = model.seen["x"].tolist()[0]
        assert type(found) is type(seen)
        assert (
            found == pytest.approx(seen, nan_ok=True)
            if isinstance(seen, float)
            else found == seen
        )


@pytest.mark.parametrize(
    "name", ['height "cm"', "w\\h", "tab\there", "a/b", "~", "%41", "é"]
)
def test_a_feature_of_any_name(name: str) -> None:
    service = served_with(
        [{"name": name, "type": "numeric"}, {"name": "y", "type": "numeric"}],
        Recorder(),
    )
    assert service.post("/predict", json=[{name: 1, "y": 2}]).json == {
        "prediction": [0.0]
    }
    document = problem(service.post("/predict", json={name: "1", "y": 2}), 422)
    token = unquote(document["errors"][0]["pointer"]).removeprefix("#/")
    assert token.replace("~1", "/").replace("~0", "~") == name


class Counting:
    """Refuses what is negative, and counts how often it is asked."""

    asked = 0

    def predict(self, X: Any) -> Any:
        self.asked += 1
        if (np.asarray(X) < 0).any():
            raise ValueError
        return np.zeros(len(X))


def test_looking_for_refused_values_ends_after_a_hundred() -> None:
    model = Counting()
    service = served_with(
        [{"name": "x", "type": "numeric"}, {"name": "y", "type": "numeric"}],
        model,
    )
    model.asked = 0
    document = problem(
        service.post("/predict", json=[{"x": -1, "y": 1}] * 20_000), 422
    )
    assert len(document["errors"]) == 100
    assert model.asked < 1000


def test_a_background_that_comes_again_is_the_same_unless_it_is_large() -> (
    None
):
    fitted = build("build_rf_binary")
    reader = Reader(
        Schema.from_metadata(fitted.content["metadata"]), reject_unknown=True
    )
    data, small = fitted.records(1)[0], fitted.records(3)
    for samples, is_kept in (
        (small, True),
        (small * 10_000, False),
        (small * 2, True),
    ):
        body = json.dumps({"_data": data, "_samples": samples}).encode()
        first, again = (
            reader.read(body).background,
            reader.read(body).background,
        )
        assert (again is first) == is_kept


GOOD_MEMBERS = '"feature1": 1, "feature2": 1, "feature3": 2'


@pytest.mark.parametrize(
    "body",
    [
        '{"feature1": 99, %s}',
        '{%s, "feature1": 99}',
        '[{"feature2": 99, %s}, {%s}]',
        '{"feature1": "x", %s}',
        '{%s, "feature1": "x"}',
        '{%s, "feature1": null}',
        '{"_data": "x", "_data": {%s}}',
        '{"_data": {%s}, "_data": []}',
        '{"_samples": 3, "_data": {%s}, "_samples": [{%s}]}',
        '{"x": 1, "x": 2, %s}',
    ],
)
def test_of_a_name_that_comes_twice_the_last_one_counts(
    body: str, client: Client
) -> None:
    """RFC 8259, section 4, leaves it open; Python's own json does the same."""
    sent = body.replace("%s", GOOD_MEMBERS)
    service = client()
    headers = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-00"}
    response = service.post("/predict?proba=1", data=sent, headers=headers)
    expected = service.post(
        "/predict?proba=1", json=json.loads(sent), headers=headers
    )
    assert response.status_code == expected.status_code
    assert response.data == expected.data
