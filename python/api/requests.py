"""Requests: what a client wants of the model, read from headers, query string and body.

They are read from the WSGI environ (PEP 3333) itself: Werkzeug's views of it would take 30
microseconds more, a fifth of the time that one record takes.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from wsgiref.types import WSGIEnvironment

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_accept_header, parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from python.api import unread
from python.api.bodies import Body, SentRecords, reader
from python.api.csv_bodies import read_csv
from python.api.flags import read_flags
from python.errors import (
    BadRequest,
    BodyTooLarge,
    LengthRequired,
    TooManyRows,
    TooManyValues,
    UnsupportedMediaType,
)
from python.model.base import Model, check_returned
from python.model.data.schema import Schema
from python.model.data.spelling import cut

CSV_TYPE = "text/csv"
JSON_ALONE = "application/json"
JSON_AND_CSV = "application/json or text/csv"
CHARSETS = ("", "utf-8", "utf8", "us-ascii", "ascii")
# A body of any other type is read as JSON: curl calls its body a form, fetch calls it text.
FOREIGN_FAMILIES = ("image/", "audio/", "video/", "font/", "multipart/")
FOREIGN_SUBTYPES = {
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
    "msgpack",
    "ndjson",
    "npy",
    "parquet",
    "pdf",
    "pickle",
    "protobuf",
    "python-pickle",
    "tab-separated-values",
    "xml",
    "yaml",
    "zip",
}
SUBTYPE_PREFIXES = ("x-", "vnd.", "apache.")

# One that is not closed extends to the end: so no character is looked at twice.
JSON_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
CUT_SHORT = "the body ended before its Content-Length"


@dataclass(frozen=True)
class Query:
    """What a client wants of the model."""

    records: SentRecords
    background: SentRecords | None
    proba: bool
    explain: bool
    wants_csv: bool = False


@dataclass(frozen=True)
class Limits:
    """Which requests the service takes."""

    reject_unknown: bool
    max_content_length: int
    max_explain_rows: int


def read_query(
    environ: WSGIEnvironment,
    schema: Schema,
    limits: Limits,
) -> Query:
    """Return the query in a request to predict; raise an error that says what is wrong with it."""
    flags = read_flags(environ.get("QUERY_STRING", ""), ("proba", "explain"))
    body = _read_body(environ, schema, limits)
    return Query(
        body.records,
        body.background,
        flags["proba"],
        flags["explain"],
        _wants_csv(environ.get("HTTP_ACCEPT", "")),
    )


def read_records(
    environ: WSGIEnvironment,
    schema: Schema,
    limits: Limits,
) -> SentRecords:
    """Return the records in a request without flags; raise an error that says what is wrong."""
    read_flags(environ.get("QUERY_STRING", ""), ())
    _check_type(
        environ.get("CONTENT_TYPE", ""),
        environ.get("HTTP_CONTENT_ENCODING", ""),
        JSON_ALONE,
    )
    return _read_body(environ, schema, limits).records


def check_size(
    query: Query,
    model: Model,
    limits: Limits,
) -> None:
    """Raise TooLarge for more records, or values of them, than are allowed.

    How long an explanation may take, the model knows itself.
    """
    n_records = len(query.records)
    n_classes = len(model.class_names or ())
    _check_values(n_records, n_classes, "classes", limits)
    if not query.explain:
        return
    n_explained = sum(max(1, len(names)) for names in model.explained_classes)
    n_values = n_explained * len(model.schema.features)
    check_returned(n_records, n_values, "SHAP values")
    n_samples = 0 if query.background is None else len(query.background)
    if max(n_records, n_samples) > limits.max_explain_rows:
        wanted = f"{n_records} records to explain against {n_samples} samples"
        raise TooManyRows(
            f"{wanted}: at most {limits.max_explain_rows} of each are taken"
        )


def _check_values(
    n_records: int, n_values: int, kind: str, limits: Limits
) -> None:
    """Raise TooLarge if there are more values to compute with than bytes in the largest body.

    Every value of a complete record takes several bytes of the body. But a default takes none, and
    neither does a probability.
    """
    total = n_records * n_values
    if n_records > 1 and total > limits.max_content_length:
        raise TooManyValues(
            f"{n_records} records x {n_values} {kind} are {total} values, "
            f"at most {limits.max_content_length} are computed with"
        )


def _read_body(
    environ: WSGIEnvironment,
    schema: Schema,
    limits: Limits,
) -> Body:
    content_type = environ.get("CONTENT_TYPE", "")
    content_encoding = environ.get("HTTP_CONTENT_ENCODING", "")
    mimetype = _check_type(content_type, content_encoding, JSON_AND_CSV)
    body = _receive(environ, limits.max_content_length)
    n_features = len(schema.features)
    if mimetype == CSV_TYPE:
        _check_values(body.count(b"\n"), n_features, "features", limits)
        records = read_csv(body, schema, reject_unknown=limits.reject_unknown)
        return Body(records)
    # There are fewer records than bytes: mostly, nothing needs to be counted.
    if len(body) * n_features > limits.max_content_length:
        _check_features(body, n_features, limits)
    return reader(schema, reject_unknown=limits.reject_unknown).read(body)


def make_reader(model: Model, limits: Limits) -> None:
    """Make what reads the bodies for a model, before the first one comes."""
    reader(model.schema, reject_unknown=limits.reject_unknown)


def _check_features(body: bytes, n_features: int, limits: Limits) -> None:
    """Raise TooLarge if the records in the body have too many values, all defaults included."""
    # To count takes 10 milliseconds for 16 MB, to leave out the strings a second.
    if body.count(b"{") * n_features > limits.max_content_length:
        n_records = JSON_STRING.sub(b"", body).count(b"{")
        _check_values(n_records, n_features, "features", limits)


def _receive(environ: WSGIEnvironment, max_bytes: int) -> bytes:
    """Return the bytes of the body, which are `max_bytes` at most."""
    length = get_content_length(environ)
    if length is None:
        environ[unread.KEY] = True
        return _receive_any_length(environ, max_bytes)
    # Werkzeug has 0 for a text that is no number.
    if not length and environ["CONTENT_LENGTH"].strip().strip("0"):
        raise BadRequest("the Content-Length is not a number of bytes")
    if length > max_bytes:
        raise _too_large(max_bytes)
    environ[unread.KEY] = True
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except OSError as error:
        # The client is too slow for the server, or gone.
        raise ClientDisconnected(CUT_SHORT) from error
    if len(body) < length:
        raise ClientDisconnected(CUT_SHORT)
    return body


def _receive_any_length(environ: WSGIEnvironment, max_bytes: int) -> bytes:
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ
    if is_chunked and not environ.get("wsgi.input_terminated"):
        raise LengthRequired("the body must come with its Content-Length")
    # Werkzeug cuts a chunked body at its limit without a word, so the limit is one byte higher.
    body = get_input_stream(environ, max_content_length=max_bytes + 1).read()
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return body


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the body is larger than the {max_bytes} bytes that are taken"
    )


# To parse the header takes 1 to 4 microseconds, and clients send the same few ones.
@lru_cache(maxsize=32)
def _check_type(
    content_type: str, content_encoding: str, expected: str
) -> str:
    """Return the type of a body in UTF-8; what is no CSV is JSON, whatever it is called.

    Raises UnsupportedMediaType if the headers say that it is something else.
    """
    mimetype, options = parse_options_header(content_type.lower())
    is_csv = mimetype == CSV_TYPE and expected == JSON_AND_CSV
    if _is_foreign(mimetype) and not is_csv:
        raise UnsupportedMediaType(
            f"the body must be {expected}, not {cut(mimetype)}"
        )
    if is_csv and options.get("header") == "absent":
        raise UnsupportedMediaType("the CSV must have a header")
    charset = options.get("charset", "")
    if charset not in CHARSETS:
        raise UnsupportedMediaType(
            f"the body must be UTF-8, not {cut(charset)}"
        )
    if content_encoding.lower() not in ("", "identity"):
        raise UnsupportedMediaType(
            f"the body must not be compressed, and is {cut(content_encoding)}",
            headers={"Accept-Encoding": "identity"},
        )
    return mimetype


def _wants_csv(accept: str) -> bool:
    """Return whether a client prefers CSV to JSON."""
    # Hardly any does, and to parse the header takes 20 microseconds.
    if CSV_TYPE not in accept:
        return False
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(["application/json", CSV_TYPE]) == CSV_TYPE


def _is_foreign(mimetype: str) -> bool:
    """Return whether it is a type of something other than JSON, `image/svg+xml` for example."""
    subtype = mimetype.partition("/")[2]
    for prefix in SUBTYPE_PREFIXES:
        subtype = subtype.removeprefix(prefix)
    syntax = subtype.rpartition("+")[2]
    return mimetype.startswith(FOREIGN_FAMILIES) or syntax in FOREIGN_SUBTYPES
