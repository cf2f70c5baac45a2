"""Print what a request that does not fit costs, beside one of the same size that does.

`python -m benchmarks.faults` measures 1 MB of each kind of fault, `python -m benchmarks.faults 16`
16 MB: the processor time and the memory at its peak, as multiples of what good records take.
`tests/test_faults_cost.py` bounds both.
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from flask.testing import FlaskClient
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from python.app import create_app
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings

MB = 1024 * 1024
REPEATS = 3
N_CATEGORIES = 30
CATEGORIES = [f"category number {number}" for number in range(N_CATEGORIES)]
RECORD = {
    "amount": 12.5,
    "rooms": 3,
    "kind": CATEGORIES[0],
    "town": "Springfield",
    "sold": "2024-05-31",
}
N_ROWS = 60
CSV_HEADER = b"amount,rooms,kind,town,sold\n"
KEPT_BY_URL = 60_000  # bytes of a header or a query that uWSGI takes
CSV_ROW = b"12.5,3,category number 0,Springfield,2024-05-31\n"


class Sent(NamedTuple):
    """A request: its body, its type, and what follows `/predict`."""

    body: bytes
    content_type: str = "application/json"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()


Maker = Callable[[int], Sent]
"""Makes a request of about so many bytes."""


class Cost(NamedTuple):
    """What a request takes: seconds of a processor, bytes of memory at its peak, its response."""

    seconds: float
    memory_bytes: int
    status: int
    response_bytes: int


def make_client() -> FlaskClient:
    """Return a client of a service for a model with a feature of nearly every type."""
    rows = np.arange(N_ROWS)
    frame = pd.DataFrame(
        {
            "amount": rows * 1.5,
            "rooms": rows % 7,
            "kind": pd.Categorical(
                [CATEGORIES[row % N_CATEGORIES] for row in rows],
                categories=CATEGORIES,
            ),
            "town": ["Springfield" if row % 2 else "Ogden" for row in rows],
            "sold": pd.to_datetime(["2024-05-31"] * N_ROWS),
        }
    )
    prepare = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind", "town"]),
        ("passthrough", ["amount", "rooms"]),
    )
    estimator = make_pipeline(prepare, LogisticRegression(max_iter=1000))
    estimator.fit(frame, rows % 2)
    features = [
        {"name": "amount", "type": "numeric", "accepts_missing": False},
        {"name": "rooms", "type": "integer", "accepts_missing": False},
        {"name": "kind", "type": "category", "categories": CATEGORIES},
        {"name": "town", "type": "string", "accepts_missing": False},
        {"name": "sold", "type": "datetime"},
    ]
    content = {"model": estimator, "metadata": {"features": features}}
    model = SklearnModel.load(Artifact.of(content))
    settings = Settings(max_content_length=64 * MB)
    return create_app(settings, model).test_client()


def good_json(n_bytes: int) -> Sent:
    """Return records that fit."""
    return Sent(_records(RECORD, n_bytes))


def good_csv(n_bytes: int) -> Sent:
    """Return a table whose rows fit."""
    return Sent(_table(CSV_HEADER, CSV_ROW, n_bytes), "text/csv")


def _records(record: object, n_bytes: int) -> bytes:
    text = json.dumps(record).encode()
    n_records = max(1, n_bytes // (len(text) + 1))
    return b"[" + b",".join([text] * n_records) + b"]"


def _table(header: bytes, row: bytes, n_bytes: int) -> bytes:
    return header + row * max(1, n_bytes // len(row))


def _with(text: str, **values: object) -> Maker:
    """Return a maker of one record in which `text` is repeated until it is large enough."""

    def make(n_bytes: int) -> Sent:
        record: dict[str, object] = {**RECORD, **values}
        long = text * max(1, n_bytes // len(text.encode()))
        for name, value in values.items():
            if value is None:
                record[name] = long
        if not values:
            record[long] = 1
        body = json.dumps(record, ensure_ascii=False).encode()
        return Sent(body)

    return make


def _many_names(n_bytes: int) -> Sent:
    names = {f"feature_{number:07}": 1 for number in range(n_bytes // 20)}
    return Sent(json.dumps([{**RECORD, **names}]).encode())


def _misspelt(n_bytes: int) -> Sent:
    record = {**RECORD, "amuont": 1}
    return Sent(_records(record, n_bytes))


def _last_wrong(n_bytes: int) -> Sent:
    good = _records(RECORD, n_bytes)[:-1]
    wrong = json.dumps({**RECORD, "rooms": "three"}).encode()
    return Sent(good + b"," + wrong + b"]")


def _members(n_bytes: int) -> Sent:
    members = {f"member{number:07}": 1 for number in range(n_bytes // 20)}
    return Sent(json.dumps({"_data": RECORD, **members}).encode())


def _repeated(piece: bytes, before: bytes = b"", after: bytes = b"") -> Maker:
    def make(n_bytes: int) -> Sent:
        return Sent(before + piece * (n_bytes // len(piece)) + after)

    return make


def _csv(
    piece: bytes, header: bytes = CSV_HEADER, after: bytes = b"\n"
) -> Maker:
    def make(n_bytes: int) -> Sent:
        body = header + piece * (n_bytes // len(piece)) + after
        return Sent(body, "text/csv")

    return make


def _truncated(n_bytes: int) -> Sent:
    return Sent(_records(RECORD, n_bytes)[:-3])


def _many_parameters(n_bytes: int) -> Sent:
    query = "&".join(f"p{number}" for number in range(KEPT_BY_URL // 8))
    return Sent(_records(RECORD, n_bytes), query=query)


def _long_type(n_bytes: int) -> Sent:
    content_type = "text/xml; " + "a=b;" * (KEPT_BY_URL // 4)
    return Sent(_records(RECORD, n_bytes), content_type)


def _long_accept(n_bytes: int) -> Sent:
    accept = "text/csv," + "a/b;q=0.5," * (KEPT_BY_URL // 10)
    return Sent(b"[" * n_bytes, headers=(("Accept", accept),))


WRONG_ROW = b"12.5,3.5,category 0,Springfield,someday\n"
KINDS: dict[str, Maker] = {
    "an unknown name": _with("x"),
    "an unknown name, of many letters": _with("ab c\u00e9\u200b"),
    "an unknown name, of emoji": _with("\U0001f600"),
    "an unknown name, of blanks": _with(" "),
    "an unknown name, of quotation marks": _with('"'),
    "many unknown names": _many_names,
    "a misspelt name in each record": _misspelt,
    "a text for a number": _with("1", amount=None),
    "a text for a category": _with("category number ", kind=None),
    "another look for a category": _with("\u200bcategory", kind=None),
    "a text for a date": _with("2024-05-31T", sold=None),
    "the last record wrong": _last_wrong,
    "every record wrong": lambda n: Sent(
        _records({**RECORD, "rooms": "x", "kind": "y"}, n)
    ),
    "records without values": lambda n: Sent(_records({"town": "Ogden"}, n)),
    "a member of an envelope": lambda n: Sent(
        json.dumps({"_data": RECORD, "y" * n: 1}).encode()
    ),
    "many members of an envelope": _members,
    "samples that do not fit": lambda n: Sent(
        b'{"_data":['
        + json.dumps(RECORD).encode()
        + b'],"_samples":'
        + _records({"rooms": "x"}, n)
        + b"}"
    ),
    "lists for records": _repeated(b"[],", b"[", b"[]]"),
    "numbers for records": _repeated(b"1,", b"[", b"1]"),
    "decimals for records": _repeated(b"1.5,", b"[", b"1]"),
    "lists in a value": _repeated(b"[],", b'[{"amount":[', b"[]]}]"),
    "one number of many digits": _repeated(b"1", b'[{"amount":', b"}]"),
    "one decimal of many digits": _repeated(b"1", b'[{"amount":1.', b"}]"),
    "a text alone": _repeated(b"x", b'"', b'"'),
    "brackets": _repeated(b"["),
    "braces": _repeated(b'{"a":'),
    "blanks": _repeated(b" "),
    "JSON that ends early": _truncated,
    "a text that does not end": _repeated(b"x", b'[{"town":"'),
    "half of a pair": _repeated(b"\\ud800", b'[{"town":"', b'"}]'),
    "no JSON at all": _repeated(b"amount=1&"),
    "zeros": _repeated(b"\0"),
    "bytes that are no UTF-8": _repeated(b"\xff"),
    "the last byte no UTF-8": _repeated(b"x", b'[{"town":"', b'\xff"}]'),
    "many parameters": _many_parameters,
    "a long type": _long_type,
    "a long Accept": _long_accept,
    "CSV: an unknown column": _csv(b"x", header=b"", after=b"\n1\n"),
    "CSV: many columns": _csv(b"a,", header=b"", after=b"b\n1\n"),
    "CSV: many unknown columns": lambda n: Sent(
        ",".join(f"c{number:07}" for number in range(n // 9)).encode()
        + b"\n1\n",
        "text/csv",
    ),
    "CSV: a header of many lines": _csv(b"\n", header=b'"', after=b'"\n1\n'),
    "CSV: a header that does not end": _csv(b"x\n", header=b'"'),
    "CSV: returns": _csv(b"\r", header=b"amount"),
    "CSV: every row wrong": _csv(WRONG_ROW),
    "CSV: rows too short": _csv(b"1\n"),
    "CSV: rows too long": _csv(b"1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9\n"),
    "CSV: one row of many cells": _csv(b"1,"),
    "CSV: a long number": _csv(b"1", after=b"x,3,category number 0,Ogden,\n"),
    "CSV: many digits": _csv(b"1", after=b",3,category number 0,Ogden,\n"),
    "CSV: a long whole number": _csv(
        b"1", CSV_HEADER + b"1,", b"x,category number 0,Ogden,\n"
    ),
    "CSV: blanks for a number": _csv(
        b" ", after=b"x,3,category number 0,Ogden,\n"
    ),
    "CSV: a long category": _csv(b"c", CSV_HEADER + b"1,1,", b",Ogden,\n"),
    "CSV: quotation marks": _csv(b'"', after=b",3,category number 0,Ogden,\n"),
    "CSV: empty texts": _csv(b'"",', after=b"1\n"),
    "CSV: blank lines": _csv(b"\n"),
}
GOOD: dict[str, Maker] = {"JSON": good_json, "CSV": good_csv}


def send(client: FlaskClient, sent: Sent) -> tuple[int, int]:
    """Return the status, and the size of the response in bytes."""
    response = client.post(
        f"/predict?{sent.query}",
        data=sent.body,
        content_type=sent.content_type,
        headers=sent.headers,
    )
    return response.status_code, len(response.data)


def measure(client: FlaskClient, sent: Sent, repeats: int = REPEATS) -> Cost:
    """Return what a request takes at best: the time of this thread, and its memory."""
    seconds = []
    for _ in range(repeats):
        started = time.thread_time()
        status, response_bytes = send(client, sent)
        seconds.append(time.thread_time() - started)
    tracemalloc.start()
    send(client, sent)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Cost(min(seconds), peak_bytes, status, response_bytes)


def compare(n_bytes: int) -> Iterator[tuple[str, Cost, float, float]]:
    """Yield each kind of fault with its cost, and time and memory as multiples of good ones."""
    client = make_client()
    send(client, good_json(1))
    # As `python.production.preload` does.
    gc.collect()
    gc.freeze()
    good = {}
    for name, maker in GOOD.items():
        good[name] = measure(client, maker(n_bytes))
        yield f"good {name}", good[name], 1.0, 1.0
    for name, maker in KINDS.items():
        sent = maker(n_bytes)
        cost = measure(client, sent, repeats=1)
        beside = good["CSV" if sent.content_type == "text/csv" else "JSON"]
        yield (
            name,
            cost,
            cost.seconds / beside.seconds,
            cost.memory_bytes / beside.memory_bytes,
        )


def main(megabytes: str = "1") -> None:
    """Print the table."""
    print(
        "| Kind | Status | Seconds | Times | Memory, MB | Times | Response, bytes |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, cost, time_ratio, memory_ratio in compare(
        int(float(megabytes) * MB)
    ):
        memory = cost.memory_bytes / MB
        print(
            f"| {name} | {cost.status} | {cost.seconds:.3f} | {time_ratio:.1f} "
            f"| {memory:.1f} | {memory_ratio:.1f} | {cost.response_bytes} |",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
