"""Access: who may ask, where an API key is set."""

from hmac import compare_digest

from flask import Flask, request

from python.errors import Unauthorized

OPEN = ("/health", "/ready")  # what a load balancer asks knows no key


def require_key(app: Flask, key: str) -> None:
    """Refuse requests without the key, sent as `Authorization: Bearer` or `X-API-Key`; an empty key lets everybody in."""
    if not key:
        return
    expected = key.encode()

    @app.before_request
    def check() -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = (
            token.strip()
            if scheme.lower() == "bearer"
            else request.headers.get("X-API-Key", "")
        )
        if request.path not in OPEN and not compare_digest(given.encode(), expected):
            raise Unauthorized(
                "an API key is needed: Authorization: Bearer <key>",
                headers={"WWW-Authenticate": "Bearer"},
            )
