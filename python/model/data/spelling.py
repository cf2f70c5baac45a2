"""How values and names are shown in sentences: short, and with a guess at what was meant."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

SHOWN_CHARACTERS = 60


def shorten(value: Any) -> str:
    """Return a value as JSON, for a sentence: cut where it is long."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > SHOWN_CHARACTERS:
        return text[:SHOWN_CHARACTERS] + "…"
    return text


def suggest(name: str, names: Iterable[str]) -> str:
    """Return `; did you mean "..."?` for a name that is close to one of the names, else ""."""
    for match in get_close_matches(name, names, n=1):
        return f'; did you mean "{match}"?'
    return ""
