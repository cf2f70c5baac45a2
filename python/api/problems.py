"""Problems: every error leaves as a problem document (RFC 9457), with JSON pointers (RFC 6901)."""

import logging
import traceback
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from python.api.request_id import request_id
from python.api.responses import respond
from python.errors import RefusedRecords, ServiceError

log = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
# RFC 8631: where a program finds out what the service takes.
DESCRIPTION_LINK = '</openapi.json>; rel="service-desc"'
# RFC 3986 lets them stand in a fragment.
POINTER_CHARACTERS = "!$&'()*+,;=:@?"


def pointer(*steps: str | int) -> str:
    """Return the JSON pointer of a member as a URI fragment (RFC 6901, sections 3 and 6).

    The steps 1 and "a/b" give `#/1/a~1b`.
    """
    fragment = "#"
    for step in steps:
        escaped = str(step).replace("~", "~0").replace("/", "~1")
        quoted = quote(escaped, safe=POINTER_CHARACTERS)
        fragment += f"/{quoted}"
    return fragment


def fault_at(pointer: str, detail: str) -> dict[str, str]:
    """Return a member of `errors` in a problem document."""
    return {"pointer": pointer, "detail": detail}


def handle_errors(app: Flask) -> None:
    """Let every error of the app leave as a problem document."""
    app.register_error_handler(RefusedRecords, _refused_records)
    app.register_error_handler(ServiceError, _service_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _refused_records(error: RefusedRecords) -> Response:
    errors = []
    for row, feature, detail in error.faults:
        place = error.records.pointer(row, feature)
        errors.append(fault_at(place, detail))
    members = error.problem()
    members["errors"] = errors
    return _problem(members, error.status)


def _service_error(error: ServiceError) -> Response:
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(error)
    response = _problem(error.problem(), error.status)
    response.headers.update(error.headers)
    return response


def _http_error(error: HTTPException) -> Response:
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
        problem.headers["Link"] = DESCRIPTION_LINK
    for name, value in response.headers:
        if name not in ("Content-Type", "Content-Length"):
            problem.headers[name] = value
    return problem


def _list_routes() -> str:
    routes = []
    for rule in current_app.url_map.iter_rules():
        if rule.arguments:  # files of a page
            continue
        methods = "/".join(_own_methods(rule.methods))
        routes.append(f"{methods} {rule.rule}")
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
        "request_id": request_id(),
    }
    return _problem(members, HTTPStatus.INTERNAL_SERVER_ERROR)


def _problem(members: dict[str, object], status: int) -> Response:
    return respond(members, status, PROBLEM_TYPE)
