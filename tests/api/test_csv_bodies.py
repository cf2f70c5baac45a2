"""CSV over HTTP: the same answers as JSON, and faults with the pointers of RFC 7111."""

import csv
from io import StringIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from python.model.data.kinds import Numeric
from tests.laws import ask
from tests.models import NAMES, build
from tests.problems import problem
from tests.serving import Client

CSV = {"Content-Type": "text/csv"}
HEADER = "feature1,feature2,feature3\n"
QUERY = "?proba=1&explain=1"


def send(
    client: FlaskClient,
    body: str | bytes,
    path: str = "/predict",
    **headers: str,
) -> Any:
    return client.post(path, data=body, headers=CSV | headers)


def cells(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    assert response.mimetype == "text/csv"
    return list(csv.DictReader(StringIO(response.text, newline="")))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_csv_gets_what_json_gets(name: str, client: Client) -> None:
    model = build(name)
    own = client(name)
    body = model.data.head(5).to_csv(index=False)
    expected = ask(own, "/predict", model.records(5))
    assert send(own, body).get_json() == expected
    written = cells(send(own, body, Accept="text/csv"))
    for number, prediction in enumerate(expected["prediction"]):
        names = ["prediction"]
        values = [prediction]
        if isinstance(prediction, list):
            values = prediction
            names = [f"prediction_{place}" for place in range(len(values))]
        for column, value in zip(names, values, strict=True):
            text = written[number][column]
            assert (
                text == value
                if isinstance(value, str)
                else float(text) == value
            )


def test_probabilities_and_explanations_as_csv(client: Client) -> None:
    own = client("build_rf_multiclass")
    records = build("build_rf_multiclass").records(2)
    expected = ask(own, "/predict" + QUERY, records)
    response = own.post(
        "/predict" + QUERY, json=records, headers={"Accept": "text/csv"}
    )
    for number, row in enumerate(cells(response)):
        for name, value in expected["prediction"][number].items():
            assert float(row[f"proba_{name}"]) == value
            assert (
                float(row[f"base_value_{name}"])
                == expected["base_value"][name]
            )
            explained = expected["explanation"][number][name]
            for feature, shap in explained.items():
                assert float(row[f"shap_{name}_{feature}"]) == shap


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "text/csv;q=0.5, application/json",
        "text/html",
    ],
)
def test_json_is_the_answer_unless_csv_is_preferred(
    accept: str, client: Client
) -> None:
    response = send(client(), HEADER + "1,1,2\n", Accept=accept)
    assert response.mimetype == "application/json"
    assert response.get_json() == {"prediction": [1]}


@pytest.mark.parametrize(
    "body",
    [
        HEADER + "1,1,2",
        "\ufeff" + HEADER + "1,1,2\r\n\r\n",
        "feature3;feature1;feature2\n2;1;1\n",
        '"feature1","feature2","feature3"\n"1","1","2"\n',
    ],
)
def test_forms_of_csv(body: str, client: Client) -> None:
    assert send(client(), body).get_json() == {"prediction": [1]}


def test_every_fault_has_a_pointer(client: Client) -> None:
    body = "feature3,feature1,feature2\n1,1,2\nx,1,2\n1,2\n\n1,true,NA\n"
    response = send(client(), body)
    document = problem(
        response,
        422,
        "the records do not fit the features of the model",
        {
            "#cell=3,1": 'expected a number, got "x"',
            "#row=4": "expected 3 cells, got 2",
            "#cell=5,2": 'expected a number, got "true"',
            "#cell=5,3": 'expected a number, got "NA"; '
            "a cell is empty where its value is missing",
        },
    )
    assert document["status"] == 422


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"", 400, "there is no body: expected CSV with a header"),
        (b"feature1,\xff", 400, "not CSV in UTF-8: byte 9 is not"),
        (HEADER.encode(), 422, "there are no records after the header"),
        (
            b"fature1\n1",
            422,
            'unknown feature "fature1"; did you mean "feature1"?',
        ),
        (
            b"feature1,feature2,feature3,fature1\n1,1,2,1",
            422,
            'unknown feature "fature1"; did you mean "feature1"?',
        ),
        (b"feature1,feature1\n1,1", 422, 'the header has "feature1" 2 times'),
        (b"\n1,1", 422, "there is no header: the first line is empty"),
        (b"{}", 422, 'unknown feature "{}"'),
    ],
)
def test_what_is_refused(
    body: bytes, status: int, detail: str, client: Client
) -> None:
    problem(send(client(), body), status, detail)


def test_unknown_columns_may_be_ignored(client: Client) -> None:
    own = client(unknown_features="ignore")
    body = "feature1,feature2,id,feature3\n1,1,a,2\n"
    assert send(own, body).get_json() == {"prediction": [1]}


def test_values_that_the_model_does_not_take_have_pointers(
    client: Client,
) -> None:
    response = send(client(fast_predict=False), HEADER + "1,1,2\n1,1,1e300\n")
    (error,) = problem(response, 422)["errors"]
    assert error["pointer"] == "#cell=3,3"


def test_the_limits_are_those_of_json(client: Client) -> None:
    body = HEADER + "1,1,2\n" * 3
    problem(send(client(max_content_length=len(body) - 1), body), 413)
    own = client(max_explain_rows=2)
    problem(send(own, body, "/predict?explain=1"), 413)


def test_a_header_is_needed(client: Client) -> None:
    headers = {"Content-Type": "text/csv; header=absent"}
    response = client().post("/predict", data="1,1,2", headers=headers)
    problem(response, 415, "the CSV must have a header")


def test_preprocess_takes_json_alone(client: Client) -> None:
    problem(
        send(client(), HEADER + "1,1,2", "/preprocess"),
        415,
        "the body must be application/json, not text/csv",
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ('1,2,3\n4,5,"6\n7,8,9\n', "line 3: the quotation mark of a cell is"),
        ('1,2,"3"4\n', "line 2: a cell goes on after its quotation mark is"),
    ],
)
def test_quotation_marks_that_do_not_fit(
    client: Client, rows: str, sentence: str
) -> None:
    """All that came after them was one cell."""
    response = send(client(), HEADER + rows)
    assert problem(response, 400)["detail"].startswith(sentence)


def test_a_fault_of_many_is_not_described(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of unknown categories held a worker for half a minute."""
    described = []
    fault = Numeric.fault

    def count(feature: Numeric, value: Any) -> str | None:
        described.append(value)
        return fault(feature, value)

    monkeypatch.setattr(Numeric, "fault", count)
    response = send(client(), HEADER + "x,1,2\n" * 5000)
    assert len(problem(response, 422)["errors"]) == 100
    assert len(described) < 500
