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
    expected_keys = header_forms(key)

    @app.before_request
    def check_key() -> None:
        if request.path in OPEN_PATHS:
            return
        # WSGI (PEP 3333) hands over the bytes of a header decoded as Latin-1.
        sent = sent_key(request).encode("latin1", "replace")
        # In constant time, so that the time does not betray how much of a guess is right.
        matches = [
            compare_digest(sent, expected) for expected in expected_keys
        ]
        if not any(matches) and not is_open(request):
            fault = (
                "" if not sent else ", and the one that was sent is another"
            )
            raise Unauthorized(
                f"an API key is needed{fault}: "
                "Authorization: Bearer <key>, or X-API-Key: <key>",
                headers={"WWW-Authenticate": "Bearer"},
            )


def header_forms(key: str) -> set[bytes]:
    """Return the bytes as which clients send a key, which differ where it is not ASCII.

    Most send UTF-8, Python's requests and browsers Latin-1.
    """
    # The environment may hold bytes that are not UTF-8.
    forms = {key.encode(errors="surrogateescape")}
    try:
        forms.add(key.encode("latin1"))
    except UnicodeEncodeError:  # the key has characters that Latin-1 has not
        return forms
    return forms


def sent_key(request: Request) -> str:
    """Return the key that came with the request; an empty text where none did."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get("X-API-Key", "")
