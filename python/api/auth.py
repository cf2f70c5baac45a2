"""Access: an API key, where one is set."""

from collections.abc import Callable

from flask import Flask, Request, request

from python.api import swagger
from python.api.exchange import KEY
from python.errors import Unauthorized

# A load balancer requests the probes, and a browser the page that asks for the key.
OPEN_PATHS = frozenset(("/health", "/ready", *swagger.PATHS))
# RFC 9110, section 11.6.1. Bearer has a parameter at least (RFC 6750, section 3); no scheme is
# registered for keys in a header of their own.
CHALLENGES = (
    'Bearer realm="service", ApiKey realm="service", header="X-API-Key"'
)


def require_key(
    app: Flask,
    find_client: Callable[[bytes], str],
    is_open: Callable[[Request], bool],
) -> None:
    """Refuse requests without a key; the exchanges of others have the name of theirs.

    `find_client` returns the name of a key, which is empty if it is none.
    Everybody may have what `is_open` says, besides OPEN_PATHS.
    Clients send it as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.
    """

    @app.before_request
    def check_key() -> None:
        if request.path in OPEN_PATHS:
            return
        sent = sent_keys(request)
        for key in sent:
            client = find_client(key)
            if client:
                request.environ[KEY].client = client
                return
        if not is_open(request):
            fault = ", and the one that was sent is another" if sent else ""
            raise Unauthorized(
                f"an API key is needed{fault}: "
                "Authorization: Bearer <key>, or X-API-Key: <key>",
                headers={"WWW-Authenticate": CHALLENGES},
            )


def sent_keys(request: Request) -> list[bytes]:
    """Return what came with the request as a key: a gateway may send a token of its own besides."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = ""
    sent = (token.strip(), request.headers.get("X-API-Key", ""))
    # WSGI (PEP 3333) hands over the bytes of a header decoded as Latin-1.
    return [key.encode("latin1", "replace") for key in sent if key]
