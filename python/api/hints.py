"""Hints: what a client probably meant by a body that is not what the service takes."""

import json
import re
from collections.abc import Collection

from python.model.data.features import Value

EXPECTED = 'expected a record, a list of records or {"_data": records, "_samples": records}'
SEE_FEATURES = "GET /features lists the features of a record"

# How other servers, and pandas, call what holds the records.
OTHER_FORMS = (
    "columns",
    "data",
    "dataframe_records",
    "dataframe_split",
    "inputs",
    "instances",
    "records",
)

JSON_START = re.compile(rb'\s*([{\["\d-]|true|false|null)')
SURROGATE = re.compile(rb"\\ud[89a-f]", re.IGNORECASE)
GZIP_PREFIX = b"\x1f\x8b"
# The parser says `invalid character` where it stops: after the minus of a word, in front of it, or
# after four characters that could have been `null`.
PARSED_CHARACTERS = (1, 0, 4)
WORD = re.compile(
    rb"(-?Infinity|-?inf|NaN|nan|None|undefined|True|False)(?=[\s,}\]]|$)"
)
SUBSTITUTES = {
    "None": "null",
    "undefined": "null",
    "True": "true",
    "False": "false",
}


def explain_encoding(body: bytes, byte: int) -> str:
    """Return what is wrong with a body of which this byte is not UTF-8."""
    if body.startswith(GZIP_PREFIX):
        return "the body is compressed with gzip: send it as it is"
    encoding = json.detect_encoding(body)
    if not encoding.startswith("utf-8"):
        return f"the body is not JSON: it is {_family(encoding)}, which is not UTF-8"
    return f"the body is not JSON: byte {byte} is not UTF-8"


def explain_syntax(body: bytes, message: str) -> str:
    """Return what is wrong with a body that is not JSON, for which the parser has a message."""
    text = body.strip()
    if not text:
        return f"there is no body: {EXPECTED}; {SEE_FEATURES}"
    encoding = json.detect_encoding(body)
    if not encoding.startswith("utf-8"):
        return f"the body is not JSON: it is {_family(encoding)}, which is not UTF-8"
    return f"the body is not JSON: {_syntax_fault(body, message)}"


def _syntax_fault(body: bytes, message: str) -> str:
    stop = re.search(r"\(byte (\d+)\)", message)
    if stop is None:
        return _early_end(body)
    byte = int(stop[1])
    reason = message.removeprefix("JSON is malformed: ")
    if reason.startswith("trailing characters"):
        advice = "several records are a list, [{...}, {...}]"
        return f"there is more after its end, before byte {byte}; {advice}"
    return _find_word(body, byte) or _character_fault(body, byte, reason)


def _find_word(body: bytes, byte: int) -> str | None:
    """Return what to send instead of a word at which the parser stopped."""
    for parsed in PARSED_CHARACTERS:
        match = WORD.match(body, max(byte - parsed, 0))
        if match is not None:
            word = match[1].decode()
            substitute = SUBSTITUTES.get(word, "null")
            return f"{word} at byte {match.start()} is not JSON, send {substitute}"
    return None


def _character_fault(body: bytes, byte: int, reason: str) -> str:
    if not JSON_START.match(body):
        return f"{reason}; {EXPECTED}"
    character = body[byte : byte + 1]
    if character == b"'":
        return f"{reason}: names and texts stand in double quotes"
    if reason.startswith("invalid character") and character < b" ":
        return f"byte {byte} is a control character: a text has \\n for the end of a line"
    return reason


def _early_end(body: bytes) -> str:
    # Python takes half of a surrogate pair, which is no character. To read all of a body again
    # takes time, so that it is done only where there is one, or a whole pair.
    if SURROGATE.search(body) and _is_json(body):
        return "a text has half of a surrogate pair, such as \\ud800"
    return f"it ends too early, at byte {len(body)}"


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _family(encoding: str) -> str:
    """Return UTF-16 or UTF-32 for an encoding that may also say the order of the bytes."""
    return encoding[: len("utf-16")].upper()


def explain_form(part: Value, names: Collection[str]) -> str:
    """Return how records that do not fit differ in their form from what the service takes.

    It is the end of a sentence, and "" where the form is right.
    """
    if isinstance(part, list):
        if part and not any(isinstance(record, dict) for record in part):
            return f": a record is an object, not a list of values; {SEE_FEATURES}"
        return ""
    if part.keys().isdisjoint(names):
        for name in OTHER_FORMS:
            if name in part:
                expected = (
                    f'"{name}" is the form of another server, {EXPECTED}'
                )
                return f": {expected}; {SEE_FEATURES}"
        return ""
    values = [part[name] for name in names if name in part]
    if all(isinstance(value, dict | list) for value in values):
        return f": a record has one value for each feature, {EXPECTED}"
    return ""
