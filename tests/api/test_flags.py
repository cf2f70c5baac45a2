"""The flags in the query string."""

import pytest

from tests.problems import problem
from tests.serving import Client

BODY = '{"feature1": 1, "feature2": 1, "feature3": 2}'


@pytest.mark.parametrize("value", ["1", "true", "True", "TRUE"])
@pytest.mark.parametrize("flag", ["proba", "explain"])
def test_a_flag_is_set(flag: str, value: str, client: Client) -> None:
    plain = client().post("/predict", data=BODY).json
    assert client().post(f"/predict?{flag}={value}", data=BODY).json != plain


@pytest.mark.parametrize(
    "query", ["proba=0", "explain=false", "proba=False&explain=0", ""]
)
def test_a_flag_is_not_set(query: str, client: Client) -> None:
    assert (
        client().post(f"/predict?{query}", data=BODY).json
        == client().post("/predict", data=BODY).json
    )


@pytest.mark.parametrize(
    "query",
    [
        "proba=2",
        "proba=yes",
        "proba=",
        "explain",
        "proba=1.0",
        "proba=-1",
        "explain=%FF",
        "proba=1&proba=0",
    ],
)
def test_a_flag_that_is_neither(query: str, client: Client) -> None:
    name = query.partition("=")[0]
    problem(
        client().post(f"/predict?{query}", data=BODY),
        400,
        f'query parameter "{name}": expected one of 0, 1, true or false',
    )


@pytest.mark.parametrize("query", ["proba=1", "explain=1", "more=1"])
def test_preprocessing_has_no_flags(query: str, client: Client) -> None:
    problem(
        client().post(f"/preprocess?{query}", data=BODY),
        400,
        "unknown query parameter",
    )


def test_a_misspelt_flag(client: Client) -> None:
    problem(
        client().post("/predict?probs=1", data=BODY),
        400,
        'unknown query parameter "probs"; did you mean "proba"?',
    )


def test_a_long_name_is_cut(client: Client) -> None:
    response = client().post(f"/predict?{'x' * 5000}=1", data=BODY)
    document = problem(response, 400, f'unknown query parameter "{"x" * 45}…')
    assert len(document["detail"]) < 120


def test_a_query_in_another_script(client: Client) -> None:
    query = "größe=1".encode().decode("latin1")
    response = client().post(
        "/predict", data=BODY, environ_overrides={"QUERY_STRING": query}
    )
    problem(response, 400, 'unknown query parameter "größe"')
