"""Print how soon a service responds while it prepares a model, and what a first explanation takes.

It starts uWSGI as production does. The file of the slow model is one whose explanations take longer
to prove than the three seconds for which a start waits.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression

from tests.models import build
from tests.production.replicas import serving
from tests.production.test_explanations import RECORD, save_machine
from tests.servers import Server, project
from tests.test_serving import raw

N_CALLS = 100
N_STARTS = 5
N_EXPLANATIONS = 20
N_ROWS = 4000
N_FEATURES = 30
N_CLASSES = 8
LIMIT_MILLISECONDS = 5
SECONDS_BETWEEN_CALLS = 0.02
IDLE_SECONDS = 8
N_WORKERS = 4
MAX_WAIT_SECONDS = 90
# The proofs of explanations, without a background and with one, and that of the compiled copy.
JUDGED = re.compile(r"(?:explanations were|the copy was) judged in [\d.]+")
N_PROOFS = 3

Content = Mapping[str, Any]


@contextmanager
def served(save: Callable[[Path], None], **limits: int) -> Iterator[Server]:
    """Serve by uWSGI the model that `save` writes into a folder."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        project(folder)
        save(folder)
        with serving(folder, **limits) as server:
            yield server


def write(content: Content, folder: Path) -> None:
    """Write the file of a model."""
    joblib.dump(content, folder / "model.joblib")


def call(request: Callable[[], tuple[int, str]]) -> float:
    """Return the milliseconds that a request takes, which has to be answered."""
    start = time.perf_counter()
    status, text = request()
    milliseconds = (time.perf_counter() - start) * 1e3
    if status != HTTPStatus.OK:
        raise RuntimeError(text)
    return milliseconds


def get_lean(server: Server, path: str) -> tuple[int, str]:
    """Return the status and the whole response, by a client that does nothing else.

    Python's own takes a millisecond or two for itself where other processes compute.
    """
    response = raw(server, f"GET {path} HTTP/1.0\r\n\r\n".encode()).decode()
    return int(response.split()[1]), response


def describe_calls(server: Server, path: str) -> str:
    """Return how many of some requests, one after the other, took how long."""
    times = []
    for _ in range(N_CALLS):
        times.append(call(partial(get_lean, server, path)))
        time.sleep(SECONDS_BETWEEN_CALLS)
    text = f"{path} {describe_times(times)}"
    logged = list(list_logged(server, path))
    if logged:
        text += f"; as the service logs them, {describe_times(logged)}"
    return text


def describe_times(times: list[float]) -> str:
    """Return how many of these milliseconds are few enough, and how many they are."""
    n_soon = sum(each < LIMIT_MILLISECONDS for each in times)
    return (
        f"{n_soon} of {len(times)} under {LIMIT_MILLISECONDS} ms, "
        f"median {median(times):.1f}, at most {max(times):.1f}"
    )


def list_logged(server: Server, path: str) -> Iterator[float]:
    """Yield the milliseconds of requests without what the client and the network took.

    The log has no probe that was answered.
    """
    for line in server.log.read_text().splitlines():
        if f'"route":"{path}"' in line:
            yield json.loads(line)["milliseconds"]


def print_calls() -> None:
    """Print how soon `/info` and `/health` respond while a model is proven, and beside none."""
    columns = list(RECORD)
    rows = np.random.default_rng(0).normal(size=(200, len(columns)))
    data = pd.DataFrame(rows, columns=columns)
    quick = LogisticRegression().fit(data, rows[:, 0] > 0)
    with served(
        partial(write, content_of(quick, columns)), WORKERS=2
    ) as server:
        time.sleep(IDLE_SECONDS)
        for path in ("/info", "/health"):
            print("nothing to prove:", describe_calls(server, path))
    with served(save_machine, WORKERS=2, REQUEST_TIMEOUT=20) as server:
        for path in ("/info", "/health"):
            print("being proven:", describe_calls(server, path))
        state = json.loads(server.get("/info")[1])["model"]
        print("then:", state["explanation"])


def print_first(name: str, content: Content, wait_seconds: float) -> None:
    """Print what the first explanation takes, and those that follow, of several starts.

    A processor that has paused is slow for some milliseconds, whatever it computes. So after a
    pause of as long as the first one, the same is asked once more.
    """
    features = content["metadata"]["features"]
    body = json.dumps({feature["name"]: 1 for feature in features}).encode()
    series: dict[str, list[list[float]]] = {"first": [], "after a pause": []}
    for _ in range(N_STARTS):
        with served(partial(write, content), WORKERS=1) as server:
            for of_kind in series.values():
                time.sleep(wait_seconds)
                times = [
                    call(lambda: server.post("/predict?explain=1", body))
                    for _ in range(N_EXPLANATIONS + 1)
                ]
                of_kind.append(times)
    print(f"{name}, {wait_seconds} s after the start:")
    for kind, of_kind in series.items():
        print(f"  {kind} {describe_ratios(of_kind)}")


def describe_ratios(series: list[list[float]]) -> str:
    """Return how the first of some times, which follow one another, compare with the others."""
    firsts = [times[0] for times in series]
    nexts = [median(times[1:]) for times in series]
    ratios = np.divide(firsts, nexts)
    return (
        f"{median(firsts):.1f} ms, then {median(nexts):.1f}; "
        f"ratios {np.round(np.sort(ratios), 2).tolist()}"
    )


def print_proofs(name: str, content: Content) -> None:
    """Print what the proofs took that four workers made which started at once."""
    with served(partial(write, content), WORKERS=N_WORKERS) as server:
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        found: list[str] = []
        while len(found) < N_PROOFS and time.monotonic() < deadline:
            time.sleep(0.5)
            found = JUDGED.findall(server.log.read_text())
    print(f"{name}, {N_WORKERS} workers: {', '.join(found)} s of a processor")


def content_of(estimator: Any, columns: list[str]) -> Content:
    """Return what a file has of an estimator that takes numbers."""
    features = [{"name": column, "type": "numeric"} for column in columns]
    return {"model": estimator, "metadata": {"features": features}}


def deep_models() -> Iterator[tuple[str, Content]]:
    """Yield models that take long to prove, each with its name."""
    random = np.random.default_rng(0)
    columns = [f"f{number}" for number in range(N_FEATURES)]
    data = pd.DataFrame(
        random.normal(size=(N_ROWS, N_FEATURES)), columns=columns
    )
    noise = random.normal(size=N_ROWS)
    is_large = data.iloc[:, :5].sum(axis=1) + noise > 0
    numbers = data["f0"] + noise
    classes = random.integers(0, N_CLASSES, N_ROWS)
    forest = RandomForestClassifier(200, random_state=0).fit(data, is_large)
    yield "200 deep trees, classes", content_of(forest, columns)
    regressor = RandomForestRegressor(200, random_state=0).fit(data, numbers)
    yield "200 deep trees, numbers", content_of(regressor, columns)
    boosting = HistGradientBoostingClassifier(
        max_iter=100, early_stopping=False, random_state=0
    )
    fitted = boosting.fit(data, classes)
    yield "histogram boosting, 8 classes", content_of(fitted, columns)


def main() -> None:
    """Print all of it."""
    print_calls()
    models = dict(deep_models())
    deep = "200 deep trees, classes"
    first = {
        "the example": build("build_rf_binary").content,
        deep: models[deep],
    }
    for wait_seconds in (0, IDLE_SECONDS):
        for name, content in first.items():
            print_first(name, content, wait_seconds)
    for name, content in models.items():
        print_proofs(name, content)


if __name__ == "__main__":
    main()
