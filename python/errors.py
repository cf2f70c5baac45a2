"""What can go wrong, in sentences that describe themselves as a problem (RFC 9457)."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

MAX_FAULTS = 100


class Fault(NamedTuple):
    """One thing that does not fit, and where."""

    pointer: str
    detail: str


def pointer(*tokens: str | int) -> str:
    """The JSON pointer of a member as a URI fragment: `#/1/feature2` (RFC 6901, sections 3 and 6)."""
    steps = (str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
    return "#" + "".join("/" + quote(step, safe="!$&'()*+,;=:@?") for step in steps)


class ServiceError(Exception):
    """An answer other than the one asked for; a fault of ours unless a subclass says otherwise."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    title = "Internal Server Error"

    def __init__(
        self, detail: str, errors: Iterable[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)[:MAX_FAULTS]
        self.headers = dict(headers or {})

    def problem(self) -> dict[str, Any]:
        """The members of the problem document; `errors` only where single places are at fault."""
        members = {"title": self.title, "status": int(self.status), "detail": self.detail}
        return (
            {**members, "errors": [fault._asdict() for fault in self.errors]}
            if self.errors
            else members
        )


class ArtifactError(ServiceError):
    """The model file cannot be served; the detail is one sentence that names the fault."""


class BadRequest(ServiceError):
    """The request cannot be understood: its JSON, its outermost form or its query."""

    status = HTTPStatus.BAD_REQUEST
    title = "Bad Request"


class Unauthorized(ServiceError):
    """The API key is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    title = "Unauthorized"


class LengthRequired(ServiceError):
    """The server does not read a body whose length is not told."""

    status = HTTPStatus.LENGTH_REQUIRED
    title = "Length Required"


class TooLarge(ServiceError):
    """More than the service is set to take in one request."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "Content Too Large"


class UnsupportedMediaType(ServiceError):
    """The Content-Type or Content-Encoding says that the body is something other than JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = "Unsupported Media Type"


class Unprocessable(ServiceError):
    """Well-formed, but not what the model was made for."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Unprocessable Content"


class NotReady(ServiceError):
    """The model is not loaded yet, or never will be; the detail says which and why."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "Service Unavailable"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(f"not ready: {detail}", headers={"Retry-After": str(retry_after)})
