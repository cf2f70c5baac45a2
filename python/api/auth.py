"""Access: an API key, where one is set."""

from collections.abc import Callable
from hmac import compare_digest

from flask import Flask, Request, request

from python.api import swagger
from python.errors import Unauthorized

# A load balancer requests the probes, and a browser the page that asks for the key.
OPEN_PATHS = frozenset(("/health", "/ready", *swagger.PATHS))


def require_key(
    app: Flask, key: str, is_open: Callable[[Request], bool]
) -> None:
    """Refuse requests without the key; an empty key lets everybody in.

    Everybody may also have what `is_open` says, besides OPEN_PATHS.
    Clients send it as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.
    """
    if not key:
        return
    expected = key.encode()

    @app.before_request
    def check_key() -> None:
        if request.path in OPEN_PATHS:
            return
        # WSGI (PEP 3333) hands over the bytes of a header decoded as Latin-1.
        sent = sent_key(request).encode("latin1", "replace")
        # In constant time, so that the time does not betray how much of a guess is right.
        if not compare_digest(sent, expected) and not is_open(request):
            fault = (
                "" if not sent else ", and the one that was sent is another"
            )
            raise Unauthorized(
                f"an API key is needed{fault}: "
                "Authorization: Bearer <key>, or X-API-Key: <key>",
                headers={"WWW-Authenticate": "Bearer"},
            )


def sent_key(request: Request) -> str:
    """Return the key that came with the request; an empty text where none did."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get("X-API-Key", "")
