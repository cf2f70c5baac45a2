"""How values and names are shown in sentences: short, and with a guess at what was meant.

Whoever calls may have been sent anything: the work and the length are bounded.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property
from heapq import nlargest
from typing import Any

SHOWN_CHARACTERS = 60
SHOWN_LAST_CHARACTERS = 15
MESSAGE_CHARACTERS = 300

# Longer texts are compared with nothing: what somebody has misspelt is a word or a few. To compare
# takes time with each character, up to a microsecond to see through look-alikes, and with the
# square of their number to find what is close.
MAX_COMPARED_CHARACTERS = 1000
MAX_GUESSED_CHARACTERS = 100
# To compare each letter of a name with each of others takes 10 milliseconds for so many pairs.
MAX_COMPARED_PAIRS = 300_000
MAX_CLOSE = 20
LEAST_RATIO = 0.6  # difflib's own


def shorten(value: Any) -> str:
    """Return a value as JSON, for a sentence: cut in the middle where it is long.

    What JSON does not have, such as a timestamp, is shown as Python shows it.
    """
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, str):
        return _quote(value)
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = _show(value)
    return cut(text)


def _quote(text: str) -> str:
    """Return a text as JSON; the ends of one that is long, without looking at the rest."""
    if len(text) <= SHOWN_CHARACTERS:
        quoted = json.dumps(text, ensure_ascii=False)
        return _writable(quoted)
    start, end = _ends(text, SHOWN_CHARACTERS, SHOWN_LAST_CHARACTERS)
    quoted_start = json.dumps(start, ensure_ascii=False)[:-1]
    quoted_end = json.dumps(end, ensure_ascii=False)[1:]
    return f"{_writable(quoted_start)}…{_writable(quoted_end)} ({len(text)} characters)"


def cut(text: str) -> str:
    """Return a text that somebody has sent, for a sentence: cut in the middle where it is long.

    Then it says how long the text is: `aaa…zzz (5000 characters)`.
    """
    if len(text) <= SHOWN_CHARACTERS:
        return _writable(text)
    start, end = _ends(text, SHOWN_CHARACTERS, SHOWN_LAST_CHARACTERS)
    return f"{_writable(start)}…{_writable(end)} ({len(text)} characters)"


def _ends(text: str, n_shown: int, n_last: int) -> tuple[str, str]:
    return text[: n_shown - n_last], text[-n_last:]


def cut_name(name: str, n_shown: int) -> str:
    """Return a name of which at most `n_shown` characters are left, with "…" in its middle."""
    if len(name) <= n_shown:
        return name
    n_last = n_shown // 4
    start, end = _ends(name, n_shown - 1, n_last)
    return f"{start}…{end}"


def _writable(text: str) -> str:
    """Return the text without halves of surrogate pairs, which cannot be written as UTF-8."""
    return text.encode(errors="backslashreplace").decode()


def one_line(error: BaseException) -> str:
    """Return the type of an exception and what it says, on one line and cut where it is long."""
    name = type(error).__name__
    # A message may repeat all that a client has sent.
    message = str(error)[: 2 * MESSAGE_CHARACTERS]
    shown = " ".join(message.split())[:MESSAGE_CHARACTERS]
    return f"{name}: {shown}" if shown else name


class Guesses:
    """What was probably meant by names that are none of those there are.

    To guess takes time, so that it is done for the first names alone: for one in any case, and for
    others as long as no more than MAX_COMPARED_PAIRS pairs of letters have been compared.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names that there are."""
        self._names = list(names)
        self._n_letters = sum(map(len, self._names))
        self._n_compared_pairs = 0

    def suggest(self, name: str) -> str:
        """Return `; did you mean "..."?` for a name that is close to one of the names, else "".

        A name that only looks like one of them is told apart in words, see `tell_apart`.
        """
        if len(name) > MAX_COMPARED_CHARACTERS:
            return ""
        difference = tell_apart_from(name, self._names_by_look)
        if difference:
            return difference
        if self._n_compared_pairs > MAX_COMPARED_PAIRS:
            return ""
        self._n_compared_pairs += len(name) * self._n_letters
        match = _find_close(name, self._names)
        return "" if match is None else f'; did you mean "{cut(match)}"?'

    @cached_property
    def _names_by_look(self) -> dict[str, list[str]]:
        return group_by_look(self._names)


def suggest(name: str, names: Iterable[str]) -> str:
    """Return the same as `Guesses.suggest`, for one name alone."""
    return Guesses(names).suggest(name)


def _find_close(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is closest, None if none is close.

    Only those are looked at closely that have the most letters in common with it.
    """
    if not 0 < len(name) <= MAX_GUESSED_CHARACTERS:
        return None
    matcher = SequenceMatcher(b=name)
    shared = []
    for other in names:
        matcher.set_seq1(other)
        # Each of them is at least as large as the next one, and as the ratio itself.
        if matcher.real_quick_ratio() < LEAST_RATIO:
            continue
        ratio = matcher.quick_ratio()
        if ratio >= LEAST_RATIO:
            shared.append((ratio, other))
    likely = [other for _, other in nlargest(MAX_CLOSE, shared)]
    matches = get_close_matches(name, likely, n=1, cutoff=LEAST_RATIO)
    return matches[0] if matches else None


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
    if len(text) > MAX_COMPARED_CHARACTERS:
        return ""
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
