"""Access: an API key, where one is set."""

from hmac import compare_digest

from flask import Flask, Request, request

from python.errors import Unauthorized

OPEN_PATHS = (
    "/health",
    "/ready",
)  # A load balancer, which has no key, requests them.


def require_key(app: Flask, key: str) -> None:
    """Refuse requests without the key; an empty key lets everybody in.

    Clients send it as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.
    """
    if not key:
        return
    expected_key = key.encode()

    @app.before_request
    def check_key() -> None:
        if request.path in OPEN_PATHS:
            return
        # In constant time, so that the time does not betray how much of a guess is right.
        if not compare_digest(sent_key(request).encode(), expected_key):
            raise Unauthorized(
                "an API key is needed: Authorization: Bearer <key>",
                headers={"WWW-Authenticate": "Bearer"},
            )


def sent_key(request: Request) -> str:
    """Return the key that came with the request; an empty text where none did."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get("X-API-Key", "")
