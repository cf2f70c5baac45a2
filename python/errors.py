"""What can go wrong, in sentences that describe themselves as a problem document (RFC 9457).

A new status is one class here, with its `status` and `title`; `api.problems` writes it. The
detail of a 500 goes nowhere. nginx has problem documents of its own: `nginx/service.conf`.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

MAX_FAULTS = 100


class Fault(NamedTuple):
    """One thing in records that does not fit the model."""

    row: int
    feature: str | None  # None where the record as a whole does not fit
    detail: str
    kind: str = "value"  # what metrics count it as; docs/metrics.md lists them


class ServiceError(Exception):
    """The service responds with a problem; unless a subclass says otherwise, it is at fault.

    `reason` is what metrics count it as; docs/metrics.md lists them.
    """

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    title = "Internal Server Error"
    reason = "internal"
    faults: Sequence[Fault] = ()
    """What does not fit in records, where that is the reason."""

    def __init__(
        self,
        detail: str,
        errors: Iterable[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take a sentence, the members of `errors` in the problem document, and HTTP headers."""
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)[:MAX_FAULTS]
        self.headers = dict(headers or {})

    def problem(self) -> dict[str, object]:
        """Return the members of the problem document; `errors` only where there are some."""
        members: dict[str, object] = {
            "title": self.title,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = self.errors
        return members


class ArtifactError(ServiceError):
    """The model file cannot be served; the detail is one sentence that names the fault."""


class BadRequest(ServiceError):
    """The request cannot be understood: its JSON, its outermost form or its query."""

    status = HTTPStatus.BAD_REQUEST
    title = "Bad Request"
    reason = "not_understood"


class Unauthorized(ServiceError):
    """The API key is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    title = "Unauthorized"
    reason = "unauthorized"


class LengthRequired(ServiceError):
    """The body comes without its length, and the server reads no such body."""

    status = HTTPStatus.LENGTH_REQUIRED
    title = "Length Required"
    reason = "length_required"


class TooLarge(ServiceError):
    """The request is larger than the settings allow."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "Content Too Large"
    reason = "too_large"


class BodyTooLarge(TooLarge):
    """The body has more bytes than MAX_CONTENT_LENGTH."""

    reason = "body_size"


class TooManyValues(TooLarge):
    """The records have more values to compute with than MAX_CONTENT_LENGTH."""

    reason = "values"


class TooManyRows(TooLarge):
    """There are more rows to explain than MAX_EXPLAIN_ROWS."""

    reason = "explain_rows"


class TooManyReturned(TooLarge):
    """The response would have more values than it may have."""

    reason = "returned_values"


class TooSlow(TooLarge):
    """To explain it would take longer than MAX_EXPLAIN_SECONDS."""

    reason = "explain_seconds"


class UnsupportedMediaType(ServiceError):
    """The Content-Type or Content-Encoding says that the body is something other than JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = "Unsupported Media Type"
    reason = "unsupported_media_type"


class Unprocessable(ServiceError):
    """The request is well-formed, but not what the model was made for."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Unprocessable Content"
    reason = "unprocessable"


class MisfitRecords(Unprocessable):
    """The records do not fit the features of the model."""

    reason = "records"

    def __init__(
        self,
        detail: str,
        errors: Iterable[Mapping[str, str]],
        faults: Sequence[Fault],
    ) -> None:
        """Take the faults as well, besides what the problem document says of them."""
        super().__init__(detail, errors)
        self.faults = faults


class RefusedRecords(Unprocessable):
    """The model does not take the values of some records.

    `records` are those that the model was called with, so that whoever read them can say where in
    a body or a file each fault is.
    """

    reason = "records"

    def __init__(
        self,
        detail: str,
        records: Any,
        faults: Iterable[Fault],
    ) -> None:
        super().__init__(detail)
        self.records = records
        self.faults = list(faults)


class NotReady(ServiceError):
    """The model is not loaded yet, or never will be; the detail says which and why."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "Service Unavailable"
    reason = "not_ready"

    def __init__(self, detail: str, retry_after_seconds: int) -> None:
        super().__init__(
            f"not ready: {detail}",
            headers={"Retry-After": str(retry_after_seconds)},
        )
