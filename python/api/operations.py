"""Operations: what OpenAPI has for one method of one path, its responses and its problems."""

from collections.abc import Iterable
from http import HTTPStatus

from python.api.flags import FLAG_VALUES
from python.api.problems import PROBLEM_TYPE
from python.api.responses import JSON_TYPE, Content
from python.api.schemas import ref

READY = (HTTPStatus.SERVICE_UNAVAILABLE,)
"""How a path fails that needs the model."""

BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""How a path fails that takes a body."""

REASONS = {
    HTTPStatus.BAD_REQUEST: "The body is not JSON or holds no records, "
    "or a query parameter is wrong.",
    HTTPStatus.UNAUTHORIZED: "The API key is missing or wrong.",
    HTTPStatus.LENGTH_REQUIRED: "The body comes without its length.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large, "
    "or what is to be computed of it.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The Content-Type names a format "
    "that is not read.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A value does not fit its feature, or the model refuses it: "
    "a forest, for example, takes no number beyond those of float32.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The model, or what explains it, is not ready.",
}
HEADERS: Content = {
    "RequestId": {
        "description": "The id of the request, which stands in the log, too.",
        "schema": {"type": "string"},
    },
    "ModelVersion": {
        "description": "The start of the SHA-256 of the model's file.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "string"},
    },
}
SECURITY_SCHEMES: Content = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def operation(
    name: str,
    summary: str,
    content: Content,
    statuses: Iterable[HTTPStatus],
) -> Content:
    """Return an operation that returns the content, by media type, or a problem."""
    sent_headers = {
        "X-Request-ID": header("RequestId"),
        "X-Model-Version": header("ModelVersion"),
    }
    responses: Content = {
        "200": {
            "description": "Success.",
            "headers": sent_headers,
            "content": content,
        }
    }
    responses |= problems(statuses)
    responses["default"] = {
        "description": "Another problem, which nginx may have found.",
        "content": problem_content(),
    }
    return {"operationId": name, "summary": summary, "responses": responses}


def problems(statuses: Iterable[HTTPStatus]) -> Content:
    """Return the responses that have these statuses."""
    return {str(int(status)): problem(status) for status in statuses}


def problem(status: HTTPStatus) -> Content:
    """Return the response that has this status."""
    response: Content = {
        "description": REASONS[status],
        "content": problem_content(),
    }
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["headers"] = {"Retry-After": header("RetryAfter")}
    return response


def problem_content() -> Content:
    """Return the content of every problem."""
    return {PROBLEM_TYPE: {"schema": ref("Problem")}}


def header(name: str) -> Content:
    """Return the reference to a header of the document."""
    return {"$ref": f"#/components/headers/{name}"}


def json_content(schema: Content, **examples: object) -> Content:
    """Return content of JSON, with examples by name."""
    content: Content = {"schema": schema}
    if examples:
        content["examples"] = name_examples(examples)
    return {JSON_TYPE: content}


def name_examples(examples: dict[str, object]) -> Content:
    """Return examples as OpenAPI has them."""
    named: Content = {}
    for name, value in examples.items():
        named[name] = {"value": value}
    return named


def text_content() -> Content:
    """Return content of plain text."""
    return {"text/plain": {"schema": {"type": "string"}}}


def flag(name: str, description: str) -> Content:
    """Return the parameter of a query that switches something on."""
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": ref("Flag"),
    }


def flag_schema() -> Content:
    """Return the schema of a flag."""
    return {"type": "string", "enum": list(FLAG_VALUES), "default": "0"}
