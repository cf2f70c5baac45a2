"""The one shape of an error, asserted everywhere."""

from typing import Any

from tests.laws import strict

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def problem(
    response: Any,
    status: int,
    detail: str = "",
    errors: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return the problem document in a response, after it has been checked.

    The detail must contain `detail`; `errors`, a detail for each pointer, must be all of them.
    """
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    assert response.headers["X-Request-ID"]
    document: dict[str, Any] = strict(response.data)
    assert document["status"] == status
    assert document["title"] == TITLES[status]
    assert document["trace_id"] == response.headers["X-Trace-ID"]
    assert detail in document["detail"], document["detail"]
    if errors is not None:
        details = {}
        for error in document.get("errors", []):
            details[error["pointer"]] = error["detail"]
        assert details == errors
    return document
