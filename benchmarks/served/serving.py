"""Serving one artifact: load its file as the service does, ask, and compare the answers."""

import importlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from benchmarks.served.comparing import (
    Difference,
    compare_predictions,
    compare_probabilities,
    is_equal,
    sum_fault,
)
from benchmarks.served.writing import REFUSE, UNSEEN
from python.app import create_app
from python.errors import ArtifactError
from python.loading import load_checked
from python.model.base import Model
from python.settings import PROJECT, Settings

MODEL_CODE = PROJECT / "model_code"
EXPLAINED_ROWS = 3
BACKGROUND_ROWS = 20

EQUAL = "equal"
REFUSED = "refused"
WRONG = "wrong"
BROKEN = "broken"
UNSEEN_WRONG = "wrong, unseen"
NOT_MADE = "not made"


@dataclass
class Row:
    """A row of the table."""

    group: str
    name: str
    outcome: str = EQUAL
    loaded: str = "yes"
    answers: str = ""
    explained: str = ""
    fast: str = ""


class NotAnswered(Exception):
    """The service answered with another status than 200."""


def serve(folder: Path, row: Row) -> None:
    """Serve the artifact in the folder, and fill the row; write it to `row.json`."""
    asked = json.loads((folder / "asked.json").read_text())
    try:
        with model_code(folder):
            model = load_checked(folder / "model.joblib", Settings())
            fill(row, model, asked)
    except ArtifactError as error:
        row.outcome = REFUSED
        row.loaded = f"refused: {error}"
    except Exception as error:
        row.outcome = BROKEN
        row.loaded = f"failed: {type(error).__name__}: {error}"
    write_row(folder, row)


def write_row(folder: Path, row: Row) -> None:
    """Write the row to `row.json` in the folder, without paths of this machine."""
    text = json.dumps(asdict(row))
    (folder / "row.json").write_text(text.replace(f"{PROJECT}/", ""))


def fill(row: Row, model: Model, asked: Any) -> None:
    """Ask the served model, and fill the row with what came of it."""
    client = create_app(Settings(), model).test_client()
    difference = Difference()
    try:
        remarks = compare(client, asked, difference)
        model.speed_up()
        compare(client, asked, difference)
        row.answers = "; ".join([describe(difference, asked), *remarks])
    except NotAnswered as error:
        row.answers = str(error)
        row.outcome = BROKEN
    broken = broken_views(client, asked)
    if broken:
        row.loaded = f"yes, but {', '.join(broken)}"
        row.outcome = BROKEN
    row.explained, adds_up = explained(client, model, asked)
    row.fast = fast(client)
    task = model.task
    if asked["task"] and asked["task"] != task:
        row.answers = f"taken for {task}; {row.answers}"
        row.outcome = WRONG
    if not is_equal(difference, asked) or not adds_up:
        row.outcome = WRONG
    if asked["should"] == REFUSE and row.outcome != BROKEN:
        row.outcome = WRONG
        row.loaded += ", and should be refused"
    if asked["should"] == UNSEEN and row.outcome == WRONG:
        row.outcome = UNSEEN_WRONG


def compare(
    client: FlaskClient, asked: Any, difference: Difference
) -> list[str]:
    """Ask for all records together and one by one; return what is not offered."""
    records = asked["records"]
    remarks = []
    compare_predictions(difference, predictions(client, records), asked)
    if difference.fault:
        return []
    compare_predictions(difference, one_by_one(client, records), asked)
    if asked["probabilities"] is None:
        return []
    response = post(client, "/predict?proba=1", records)
    if response.status_code == 422:
        remarks.append(f"no probabilities: {detail(response)}")
        return remarks
    compare_probabilities(difference, content(response), asked)
    if not difference.fault:
        alone = one_by_one(client, records, "?proba=1")
        compare_probabilities(difference, alone, asked)
    return remarks


def one_by_one(
    client: FlaskClient, records: list[Any], query: str = ""
) -> list[Any]:
    """Return the predictions for records that are sent one by one."""
    answers = []
    for record in records:
        answers += predictions(client, record, query)
    return answers


def predictions(client: FlaskClient, body: Any, query: str = "") -> list[Any]:
    """Return what is under `prediction`; raise NotAnswered for another status than 200."""
    return content(post(client, f"/predict{query}", body))


def content(response: TestResponse) -> list[Any]:
    """Return what is under `prediction`; raise NotAnswered for another status than 200."""
    if response.status_code != 200:
        raise NotAnswered(detail(response))
    answers: list[Any] = response.json["prediction"]  # type: ignore[index]
    return answers


def broken_views(client: FlaskClient, asked: Any) -> list[str]:
    """Return the views, other than /predict, that do not answer with 200."""
    responses = {
        "/info": client.get("/info"),
        "/features": client.get("/features"),
        "/preprocess": post(client, "/preprocess", asked["records"]),
    }
    broken = []
    for path, response in responses.items():
        if response.status_code != 200:
            broken.append(f"{path}: {detail(response)}")
    return broken


def explained(
    client: FlaskClient, model: Model, asked: Any
) -> tuple[str, bool]:
    """Return how the model is explained, or why not, and whether the values add up."""
    records = asked["records"]
    some = records[:EXPLAINED_ROWS]
    with_samples = {"_data": some, "_samples": records[-BACKGROUND_ROWS:]}
    response = post(client, "/predict?explain=1", some)
    remark = ""
    if response.status_code == 422 and "_samples" in str(response.json):
        response = post(client, "/predict?explain=1", with_samples)
        remark = ", with `_samples`"
    if response.status_code != 200:
        return f"no: {detail(response)}", True
    answer: Any = response.json
    try:
        fault = sum_fault(answer, asked)
    except Exception as error:
        fault = f"not compared: {type(error).__name__}: {error}"
        return f"{answer['explained_output']}{remark}; {fault}", True
    name = "" if remark else method_name(model)
    text = f"{name}{answer['explained_output']}{remark}"
    return (f"{text}; {fault}" if fault else text), not fault


def method_name(model: Model) -> str:
    """Return the name of the method that explains the model alone."""
    name = getattr(model, "explanation_method", lambda: None)()
    return f"{name}, " if name else ""


def fast(client: FlaskClient) -> str:
    """Return whether a copy predicts, or why not."""
    response = client.get("/info")
    if response.status_code != 200:
        return ""
    info: Any = response.json
    if info["model"].get("fast_predict"):
        return "yes"
    return f"no: {info['model'].get('fast_predict_reason')}"


def describe(difference: Difference, asked: Any) -> str:
    """Return how far the answers are from the estimator's own, in words."""
    if difference.fault:
        return difference.fault
    words = []
    if not asked["are_numbers"]:
        count = len(asked["predictions"])
        unequal = f"{difference.labels} labels differ (asked {4 * count})"
        words.append(unequal if difference.labels else "labels equal")
    if asked["are_numbers"] or asked["probabilities"] is not None:
        words.append(
            "0" if difference.worst == 0 else f"{difference.worst:.0e}"
        )
    return ", ".join(words)


def post(client: FlaskClient, path: str, body: Any) -> TestResponse:
    """Send a body as JSON."""
    return client.post(
        path, data=json.dumps(body), content_type="application/json"
    )


def detail(response: TestResponse) -> str:
    """Return the status and the sentences of a problem."""
    problem: Any = response.get_json(silent=True) or {}
    sentences = [str(problem.get("detail", ""))]
    for error in problem.get("errors", [])[:1]:
        sentences.append(f"{error['pointer']} {error['detail']}")
    return f"{response.status_code} {' '.join(sentences)}"


@contextmanager
def model_code(folder: Path) -> Iterator[None]:
    """Put the user's own modules where the service looks for them, while it is served."""
    copies = []
    for path in (folder / "model_code").glob("*.py"):
        MODEL_CODE.mkdir(exist_ok=True)
        copies.append(Path(shutil.copy(path, MODEL_CODE)))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for path in copies:
            path.unlink()
