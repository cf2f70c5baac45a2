"""How values and names are shown in sentences: short, and with a guess at what was meant."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

SHOWN_CHARACTERS = 60
MESSAGE_CHARACTERS = 300


def shorten(value: Any) -> str:
    """Return a value as JSON, for a sentence: cut where it is long.

    What JSON does not have, such as a timestamp, is shown as Python shows it.
    """
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = _show(value)
    return cut(text)


def cut(text: str) -> str:
    """Return a text that somebody has sent, for a sentence: cut where it is long."""
    # Half of a surrogate pair cannot be written as UTF-8.
    text = text.encode(errors="backslashreplace").decode()
    if len(text) > SHOWN_CHARACTERS:
        return text[:SHOWN_CHARACTERS] + "…"
    return text


def one_line(error: BaseException) -> str:
    """Return the type of an exception and what it says, on one line and cut where it is long."""
    name = type(error).__name__
    message = " ".join(str(error).split())[:MESSAGE_CHARACTERS]
    return f"{name}: {message}" if message else name


def suggest(name: str, names: Iterable[str]) -> str:
    """Return `; did you mean "..."?` for a name that is close to one of the names, else "".

    A name that only looks like one of them is told apart in words, see `tell_apart`.
    """
    names = list(names)
    difference = tell_apart(name, names)
    if difference:
        return difference
    for match in get_close_matches(name, names, n=1):
        return f'; did you mean "{match}"?'
    return ""


def tell_apart(text: str, others: Iterable[str]) -> str:
    """Return in which way a text differs from another one that looks the same, for a sentence.

    Two texts look the same that differ in their Unicode normalisation ("é" is one code point or
    two), in blanks or in characters that nobody sees. It is "" where no other one looks the same.
    """
    return tell_apart_from(text, group_by_look(others))


def group_by_look(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return the texts, which may be many, by what one sees of them: for `tell_apart_from`."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(_visible(text), []).append(text)
    return groups


def tell_apart_from(text: str, others: Mapping[str, Sequence[str]]) -> str:
    """Return the same as `tell_apart`, of other texts by what one sees of them."""
    for other in others.get(_visible(text), ()):
        if other != text:
            escaped = cut(json.dumps(other))
            return f"; it looks the same but has other code points: write it as {escaped}"
    return ""


def _visible(text: str) -> str:
    """Return what one sees of a text, the same for texts that look the same."""
    if text.isascii():
        return " ".join(text.split())
    shown = []
    for character in unicodedata.normalize("NFKC", text):
        if (
            unicodedata.category(character) != "Cf"
        ):  # of no width, such as a BOM
            shown.append(character)
    return " ".join("".join(shown).split())


def _show(value: Any) -> str:
    """Return what Python shows of any value, on one line."""
    is_numpy_scalar = getattr(value, "shape", None) == ()
    try:
        plain = value.item() if is_numpy_scalar else value
        return " ".join(repr(plain).split())
    except Exception:  # the class of the value may be anybody's
        return f"a value of type {type(value).__name__}"
