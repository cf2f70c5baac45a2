"""Requests: what a client asks of the model, read from headers, query and body.

From the WSGI environ (PEP 3333) itself: for one record Werkzeug's views of it cost more than the trees of a forest.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from python.api.bodies import Body, SentRecords, reader
from python.errors import BadRequest, LengthRequired, TooLarge, UnsupportedMediaType
from python.model.base import Model
from python.model.data.schema import Schema

FLAGS = {"0": False, "false": False, "1": True, "true": True}
CHARSETS = ("", "utf-8", "utf8", "us-ascii", "ascii")
# All else is read as JSON: curl calls its body a form, fetch calls it text.
FOREIGN_FAMILIES = ("image/", "audio/", "video/", "font/", "multipart/")
FOREIGN_SUBTYPES = {
    *(
        "arrow.stream",
        "avro",
        "cbor",
        "csv",
        "gzip",
        "html",
        "javascript",
        "json-seq",
        "jsonl",
        "jsonlines",
        "markdown",
    ),
    *(
        "msgpack",
        "ndjson",
        "npy",
        "parquet",
        "pdf",
        "pickle",
        "protobuf",
        "python-pickle",
        "tab-separated-values",
    ),
    *("xml", "yaml", "zip"),
}


CUT_SHORT = "the body ended before its Content-Length"


@dataclass(frozen=True)
class Query:
    """What a client asks of the model."""

    records: SentRecords
    background: SentRecords | None
    proba: bool
    explain: bool


@dataclass(frozen=True)
class Limits:
    """What the settings say of requests."""

    reject_unknown: bool
    max_content_length: int
    max_explain_rows: int
    max_explain_predictions: int


def read(environ: dict[str, Any], schema: Schema, limits: Limits) -> Query:
    """Return the query in a request to predict; raise an error that says what is wrong with it."""
    flags = _flags(environ.get("QUERY_STRING", ""), ("proba", "explain"))
    body = _read_body(environ, schema, limits)
    return Query(body.records, body.background, flags["proba"], flags["explain"])


def read_records(
    environ: dict[str, Any], schema: Schema, limits: Limits
) -> SentRecords:
    """Return the records in a request that asks for nothing besides."""
    _flags(environ.get("QUERY_STRING", ""), ())
    return _read_body(environ, schema, limits).records


def check_effort(query: Query, model: Model, limits: Limits) -> None:
    """Raise TooLarge if explaining the query would cost more than the limits allow."""
    if not query.explain:
        return
    n_records = len(query.records)
    n_samples = 0 if query.background is None else len(query.background)
    if max(n_records, n_samples) > limits.max_explain_rows:
        wanted = f"{n_records} records to explain against {n_samples} samples"
        raise TooLarge(f"{wanted}: at most {limits.max_explain_rows} of each are taken")
    rows, predictions = model.explanation_effort(query.background)
    total = n_records * rows * predictions
    if total > limits.max_explain_predictions:
        product = f"{n_records} records x {rows} rows of background x {predictions} predictions"
        most = f"at most {limits.max_explain_predictions} are made"
        raise TooLarge(
            f"{product} for each are {total} predictions to explain with, {most}"
        )


def _read_body(environ: dict[str, Any], schema: Schema, limits: Limits) -> Body:
    _check_type(
        environ.get("CONTENT_TYPE", ""), environ.get("HTTP_CONTENT_ENCODING", "")
    )
    body = _body(environ, limits.max_content_length)
    return reader(schema, reject_unknown=limits.reject_unknown).read(body)


def _body(environ: dict[str, Any], most: int) -> bytes:
    length = get_content_length(environ)
    if length is None:
        return _body_of_any_length(environ, most)
    if not length and environ["CONTENT_LENGTH"].strip().strip("0"):
        raise BadRequest("the Content-Length is not a number of bytes")
    if length > most:
        raise _too_large(most)
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except OSError as error:  # the client is too slow for the server, or gone
        raise ClientDisconnected(CUT_SHORT) from error
    if len(body) < length:
        raise ClientDisconnected(CUT_SHORT)
    return body


def _body_of_any_length(environ: dict[str, Any], most: int) -> bytes:
    if "HTTP_TRANSFER_ENCODING" in environ and not environ.get("wsgi.input_terminated"):
        raise LengthRequired("the body must come with its Content-Length")
    body: bytes = get_input_stream(environ, max_content_length=most + 1).read()
    if len(body) > most:
        raise _too_large(
            most
        )  # Werkzeug cuts a chunked body at its limit without a word
    return body


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body is larger than the {most} bytes that are taken")


@lru_cache(maxsize=32)
def _flags(query: str, names: tuple[str, ...]) -> dict[str, bool]:
    text = query.encode("latin1").decode(errors="replace")  # as PEP 3333 has it
    given = MultiDict(parse_qsl(text, keep_blank_values=True))
    for name, values in given.lists():
        if name not in names:
            close = get_close_matches(name, names, n=1)
            raise BadRequest(
                f'unknown query parameter "{name}"'
                + (f'; did you mean "{close[0]}"?' if close else "")
            )
        if len(values) > 1 or values[0].lower() not in FLAGS:
            raise BadRequest(
                f'query parameter "{name}": expected one of 0, 1, true or false'
            )
    return {name: FLAGS[given.get(name, "0").lower()] for name in names}


@lru_cache(maxsize=32)
def _check_type(content_type: str, coding: str) -> None:
    mimetype, options = parse_options_header(content_type.lower())
    subtype = (
        mimetype.partition("/")[2]
        .removeprefix("x-")
        .removeprefix("vnd.")
        .removeprefix("apache.")
    )
    foreign = (
        mimetype.startswith(FOREIGN_FAMILIES)
        or subtype.rpartition("+")[2] in FOREIGN_SUBTYPES
    )
    if foreign:
        raise UnsupportedMediaType(f"the body must be application/json, not {mimetype}")
    charset = options.get("charset", "")
    if charset not in CHARSETS:
        raise UnsupportedMediaType(f"the body must be UTF-8, not {charset}")
    if coding.lower() not in ("", "identity"):
        raise UnsupportedMediaType(
            f"the body must not be compressed, and is {coding}",
            headers={"Accept-Encoding": "identity"},
        )
