"""What no line of a log may have: values of features, of queries and of keys that tests have sent.

Clients of the tests say what they send, and whoever ends a server hands over its log.
"""

import json
import logging
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote_plus

from flask.testing import FlaskClient

from python.api.logs import JsonFormatter, RequestLine

KEY_HEADERS = ("x-api-key", "authorization")
# A short number, or a plain word, may stand in a line by chance; a long word is cut in a line.
FEWEST_CHARACTERS = 5
MOST_CHARACTERS = 100
MOST_BYTES = 2**20
# `python service.py` prints a command to paste, with the example of the model file.
OWN_EXAMPLE = re.compile(r"(\S+ +\| )?curl ")
NAME = re.compile(r"[a-z_]+\d*")  # such as "feature1"
NUMBER = re.compile(r"\d*\.\d+")
WORD = re.compile(r"[\w.]+")
# They have digits of their own, none of which a client has sent.
OWN_NAMES = (
    "time",
    "request_id",
    "trace_id",
    "milliseconds",
    "model_milliseconds",
    "model_version",
    "upstream_seconds",
    "replica",
    "user_agent",
    "address",
)
SENT: set[str] = set()


def note_sent(
    target: str, body: bytes | None = None, headers: Mapping[str, str] = {}
) -> None:
    """Keep what can be recognized of what a request has in its query, its body and its key."""
    _, _, query = target.partition("?")
    _note(unquote_plus(query))
    if body:
        _note(body[:MOST_BYTES].decode("utf-8", "replace"))
    for name, value in headers.items():
        if name.lower().replace("_", "-") in KEY_HEADERS:
            for word in WORD.findall(value.removeprefix("Bearer ")):
                if len(word) >= FEWEST_CHARACTERS:
                    SENT.add(word)


def note_raw(request: bytes) -> None:
    """Keep what can be recognized of a request of which nobody knows whether it is HTTP."""
    line, _, rest = request.decode("latin1").partition("\n")
    _, _, body = rest.partition("\r\n\r\n")
    target = line.partition(" ")[2].partition(" ")[0]
    note_sent(target, body.encode())


def _note(text: str) -> None:
    for word in WORD.findall(text):
        if FEWEST_CHARACTERS <= len(word) <= MOST_CHARACTERS and is_telling(
            word
        ):
            SENT.add(word)


def is_telling(word: str) -> bool:
    """Return whether a word stands in no line by chance: a long number, or letters and digits."""
    if NAME.fullmatch(word):
        return False
    if NUMBER.fullmatch(word):
        return True
    has_letter = any(character.isalpha() for character in word)
    has_digit = any(character.isdigit() for character in word)
    return has_letter and has_digit


def check_log(log: str) -> None:
    """Fail if a line has anything that was sent, or a line for a request more than it may."""
    for line in log.splitlines():
        if OWN_EXAMPLE.match(line):
            continue
        words = WORD.findall(_without_own_names(line))
        told = SENT.intersection(words)
        assert not told, f"the log tells {told}, which was sent: {line}"


def _without_own_names(line: str) -> str:
    """Return what of a line may come from a client."""
    start = line.find('{"time"')
    if start < 0:
        return line
    members = json.loads(line[start:])
    if "route" in members:
        assert tuple(members) == RequestLine.__struct_fields__
    kept = []
    for name, value in members.items():
        if name not in OWN_NAMES:
            kept.append(str(value))
    return " ".join(kept)


class NotingClient(FlaskClient):
    """A client of an app in the process of the test, which says what it sends."""

    def run_wsgi_app(self, environ: Any, buffered: bool = False) -> Any:
        """Note the request, and let it be handled."""
        stream = environ["wsgi.input"]
        body = b""
        if isinstance(stream, BytesIO):
            body = stream.read(MOST_BYTES)
            stream.seek(0)
        headers = {
            "x-api-key": environ.get("HTTP_X_API_KEY", ""),
            "authorization": environ.get("HTTP_AUTHORIZATION", ""),
        }
        note_sent(f"?{environ.get('QUERY_STRING', '')}", body, headers)
        return super().run_wsgi_app(environ, buffered)


class LogKeeper(logging.Handler):
    """Keeps the lines of a process as the service writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, if the service has logged it."""
        if record.name.startswith(("python.", "werkzeug")):
            self.lines.append(self.format(record))

    def check(self) -> None:
        """Check what has been kept, and forget it."""
        log = "\n".join(self.lines)
        self.lines.clear()
        check_log(log)
