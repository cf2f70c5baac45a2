"""A body that is not what the service takes is told what was probably meant."""

import gzip
import json
from typing import Any

import pytest

from python.api.hints import EXPECTED, SEE_FEATURES
from tests.problems import problem
from tests.serving import Client

NOT_JSON = "the body is not JSON: "
FORMS = f"{EXPECTED}; {SEE_FEATURES}"
MISFIT = "the records do not fit the features of the model"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"a": NaN}', "NaN at byte 6 is not JSON, send null"),
        (
            b'[{"a": 1}, {"a": NaN, "b": 2}]',
            "NaN at byte 17 is not JSON, send null",
        ),
        (b'{"_data": {"a": NaN}}', "NaN at byte 16 is not JSON, send null"),
        (b'{"a": Infinity}', "Infinity at byte 6 is not JSON, send null"),
        (b'{"a": -Infinity}', "-Infinity at byte 6 is not JSON, send null"),
        (b'{"a": nan\n}', "nan at byte 6 is not JSON, send null"),
        (b'{"a":-inf}', "-inf at byte 5 is not JSON, send null"),
        (b"NaN", "NaN at byte 0 is not JSON, send null"),
        (b'{"a": None}', "None at byte 6 is not JSON, send null"),
        (b'{"a": undefined}', "undefined at byte 6 is not JSON, send null"),
        (b'{"a": True}', "True at byte 6 is not JSON, send true"),
        (b'{"a": False}', "False at byte 6 is not JSON, send false"),
        (
            b'{"gr\xc3\xb6\xc3\x9fe": NaN}',
            "NaN at byte 12 is not JSON, send null",
        ),
        (b'{"a": "NaN" x}', "expected ',' or '}' (byte 12)"),
        (b'["a NaN"x]', "expected ',' or ']' (byte 8)"),
    ],
)
def test_a_word_that_is_not_json_has_a_substitute(
    body: bytes, detail: str, client: Client
) -> None:
    document = problem(client().post("/predict", data=body), 400)
    assert document["detail"] == NOT_JSON + detail


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_no_body_says_what_is_expected(body: bytes, client: Client) -> None:
    document = problem(client().post("/predict", data=body), 400)
    assert document["detail"] == f"there is no body: {FORMS}"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "it ends too early, at byte 1"),
        (b'[{"feature1": 1', "it ends too early, at byte 15"),
        (b'{"feature1": "x', "it ends too early, at byte 15"),
        (b'{"a": "\\ud800"}', "a text has half of a surrogate pair, such as \\ud800"),
        (b"{'a': 1}", "object keys must be strings (byte 1): names and texts stand in double quotes"),
        (b"[{\"a\": 'x'}]", "invalid character (byte 7): names and texts stand in double quotes"),
        (b'{"a": 1}\n{"a": 2}', "there is more after its end, before byte 10; several records are a list, [{...}, {...}]"),
        (b'{"a": "x\ny"}', "byte 8 is a control character: a text has \\n for the end of a line"),
        (b"feature1=1&feature2=2", f"invalid character (byte 5); {EXPECTED}"),
        (b"a,b\n1,2\n", f"invalid character (byte 0); {EXPECTED}"),
        (b"[1,]", "trailing comma in array (byte 3)"),
    ],
)  # fmt: skip
def test_what_is_not_json_says_why(
    body: bytes, detail: str, client: Client
) -> None:
    document = problem(client().post("/predict", data=body), 400)
    assert document["detail"] == NOT_JSON + detail


@pytest.mark.parametrize(
    ("encoding", "family"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-32-le", "UTF-32"),
    ],
)
def test_another_encoding_is_named(
    encoding: str, family: str, client: Client
) -> None:
    body = '{"feature1": 1}'.encode(encoding)
    document = problem(client().post("/predict", data=body), 400)
    assert (
        document["detail"] == NOT_JSON + f"it is {family}, which is not UTF-8"
    )


def test_a_compressed_body_that_does_not_say_so_is_named(
    client: Client,
) -> None:
    body = gzip.compress(b'{"feature1": 1}')
    detail = "the body is compressed with gzip: send it as it is"
    problem(client().post("/predict", data=body), 400, detail)


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{"feature1": 1}]},
        {"instances": [[1, 2, 3]], "parameters": {}},
        {"inputs": {"feature1": [1]}},
        {"dataframe_split": {"columns": ["feature1"], "data": [[1]]}},
        {"dataframe_records": [{"feature1": 1}]},
        {"data": [[1, 2, 3]]},
        {"columns": ["feature1"], "index": [0], "data": [[1]]},
    ],
)
@pytest.mark.parametrize("unknown_features", ["reject", "ignore"])
def test_the_form_of_another_server_is_named(
    body: dict[str, Any], unknown_features: str, client: Client
) -> None:
    service = client(unknown_features=unknown_features)
    name = next(iter(body))
    document = problem(service.post("/predict", json=body), 422)
    detail = f'{MISFIT}: "{name}" is the form of another server, {FORMS}'
    assert document["detail"] == detail
    in_envelope = problem(service.post("/predict", json={"_data": body}), 422)
    assert in_envelope["detail"] == detail


@pytest.mark.parametrize(
    "body",
    [{"feature1": [1, 2], "feature2": [3, 4]}, {"feature1": {"0": 1, "1": 2}}],
)
def test_values_by_feature_are_told_from_records(
    body: Any, client: Client
) -> None:
    document = problem(client().post("/predict", json=body), 422)
    detail = f"{MISFIT}: a record has one value for each feature, {EXPECTED}"
    assert document["detail"] == detail


def test_lists_of_values_are_told_from_records(client: Client) -> None:
    document = problem(
        client().post("/predict", json=[[1, 2, 3], [4, 5, 6]]), 422
    )
    detail = f"{MISFIT}: a record is an object, not a list of values; {SEE_FEATURES}"
    assert document["detail"] == detail


@pytest.mark.parametrize(
    "body",
    [
        {"feature1": "x"},
        [{"feature1": 1}, [1, 2]],
        {"feature1": [1], "feature2": 2},
        {},
    ],
)
def test_records_of_the_right_form_are_told_their_faults_alone(
    body: Any, client: Client
) -> None:
    response = client().post("/predict", data=json.dumps(body))
    assert problem(response, 422)["detail"] == MISFIT


def test_a_value_alone_says_what_is_expected(client: Client) -> None:
    document = problem(client().post("/predict", data="5"), 400)
    assert document["detail"] == FORMS
