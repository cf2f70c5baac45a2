"""Problems: every error leaves as a problem document (RFC 9457), with JSON pointers (RFC 6901)."""

import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from python.api.exchange import current_exchange
from python.api.responses import ENCODER, Content, respond
from python.errors import BadRequest, RefusedRecords, ServiceError
from python.model.data.spelling import cut_name

log = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
# RFC 3986 lets them stand in a fragment.
POINTER_CHARACTERS = "!$&'()*+,;=:@?"
# What a client has sent comes back in part: a longer name is cut in a pointer, and a larger
# document has fewer errors.
POINTER_NAME_CHARACTERS = 200
MAX_PROBLEM_BYTES = 64 * 1024
MAX_DETAIL_CHARACTERS = 5000
NO_HTTP = "the request is not HTTP that can be understood"


ErrorMember: TypeAlias = dict[str, str]
"""A member of `errors` in a problem document: `pointer` to what is wrong, and `detail`."""


def pointer(*steps: str | int) -> str:
    """Return the JSON pointer of a member as a URI fragment (RFC 6901, sections 3 and 6).

    The steps 1 and "a/b" give `#/1/a~1b`. A name of more than 200 characters is cut in its middle.
    """
    fragment = "#"
    for step in steps:
        name = cut_name(str(step), POINTER_NAME_CHARACTERS)
        escaped = name.replace("~", "~0").replace("/", "~1")
        quoted = quote(escaped, safe=POINTER_CHARACTERS)
        fragment += f"/{quoted}"
    return fragment


def fault_at(steps: Sequence[str | int], detail: str) -> ErrorMember:
    """Return a member of `errors` for what is wrong where the steps lead to in a body of JSON.

    The detail says it where a name in the pointer is cut.
    """
    for step in steps:
        n_characters = len(str(step))
        if n_characters > POINTER_NAME_CHARACTERS:
            detail += f"; the name has {n_characters} characters, of which the pointer has the ends"
    return {"pointer": pointer(*steps), "detail": detail}


def handle_errors(app: Flask) -> None:
    """Let every error of the app leave as a problem document."""
    app.register_error_handler(
        RefusedRecords, partial(_note, _refused_records)
    )
    app.register_error_handler(ServiceError, partial(_note, _service_error))
    app.register_error_handler(HTTPException, partial(_note, _http_error))
    app.register_error_handler(Exception, partial(_note, _unexpected))


def _note(handle: Callable[[Any], Response], error: Exception) -> Response:
    """Return the problem for an error, and keep the error for who follows the exchange."""
    exchange = current_exchange()
    if exchange is not None:
        exchange.error = error
    return handle(error)


def _refused_records(error: RefusedRecords) -> Response:
    members = error.problem()
    members["errors"] = [error.records.locate(fault) for fault in error.faults]
    return _problem(members, error.status)


def _service_error(error: ServiceError) -> Response:
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(error)
    response = _problem(error.problem(), error.status)
    response.headers.update(error.headers)
    return response


def _http_error(error: HTTPException) -> Response:
    if not request.method:
        return _service_error(BadRequest(NO_HTTP))
    response = error.get_response(request.environ)
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        # It is a redirect, which is no problem.
        body = response.get_data()
        return Response(body, response.status, response.headers)
    detail = error.description
    if isinstance(error, NotFound):
        detail = f"there is no such path, there are: {_list_routes()}"
    elif isinstance(error, MethodNotAllowed):
        methods = " or ".join(_own_methods(error.valid_methods))
        detail = f"the method is not allowed, this path takes {methods}"
    members = {"title": error.name, "status": error.code, "detail": detail}
    problem = _problem(members, error.code)
    if isinstance(error, NotFound | MethodNotAllowed):
        problem.headers["Link"] = description_link()
    for name, value in response.headers:
        if name not in ("Content-Type", "Content-Length"):
            problem.headers[name] = value
    return problem


def description_link() -> str:
    """Return the header that leads a program to what the service takes (RFC 8631)."""
    return f'<{request.root_path}/openapi.json>; rel="service-desc"'


def _list_routes() -> str:
    routes = []
    for rule in current_app.url_map.iter_rules():
        if rule.arguments:  # files of a page
            continue
        methods = "/".join(_own_methods(rule.methods))
        routes.append(f"{methods} {request.root_path}{rule.rule}")
    return ", ".join(routes)


def _own_methods(methods: Iterable[str] | None) -> list[str]:
    """Return the methods without those that Flask adds to each route."""
    return sorted(set(methods or ()) - {"HEAD", "OPTIONS"})


def _unexpected(error: Exception) -> Response:
    # The message of an exception may repeat what a client sent, so the log has the type alone.
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s at\n%s", type(error).__name__, trace)
    members = {
        "title": "Internal Server Error",
        "status": 500,
        "detail": "the service failed to answer; its log has more under the request id",
    }
    exchange = current_exchange()
    if exchange is not None:
        members["request_id"] = exchange.request_id
    return _problem(members, HTTPStatus.INTERNAL_SERVER_ERROR)


def _problem(members: Content, status: int) -> Response:
    exchange = current_exchange()
    if exchange is not None:
        members["trace_id"] = exchange.trace_id
    response = respond(members, status, PROBLEM_TYPE)
    if len(response.get_data()) > MAX_PROBLEM_BYTES:
        return respond(_shorten(members), status, PROBLEM_TYPE)
    return response


def _shorten(members: Content) -> Content:
    """Return the members of a problem with as many of its errors as there is room for.

    The detail says how many there are.
    """
    detail = cut_name(str(members["detail"]), MAX_DETAIL_CHARACTERS)
    errors = members.get("errors")
    if not isinstance(errors, list):
        return {**members, "detail": detail}
    detail += f"; of the {len(errors)} errors, the document has as many as fit into 64 kB"
    short: Content = {**members, "detail": detail, "errors": []}
    n_bytes = len(ENCODER.encode(short))
    kept = []
    for error in errors:
        n_bytes += len(ENCODER.encode(error)) + len(",")
        if n_bytes > MAX_PROBLEM_BYTES:
            break
        kept.append(error)
    return {**short, "errors": kept}
