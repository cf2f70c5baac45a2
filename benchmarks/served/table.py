"""The writer of the table: rows to Markdown."""

import re
from collections import Counter

from benchmarks.served.serving import (
    BROKEN,
    EQUAL,
    NOT_MADE,
    REFUSED,
    UNSEEN_WRONG,
    WRONG,
    Row,
)

HEAD = """| Artifact | Loaded | Answers, worst difference | Explained | Fast |
| --- | --- | --- | --- | --- |"""
SUMMARY = {
    EQUAL: "are served with the estimator's own answers",
    REFUSED: "are refused, with the sentence in the table",
    BROKEN: "are loaded, and answer something with a fault",
    WRONG: "are **answered wrongly with status 200**",
    UNSEEN_WRONG: "is wrong where nothing in the file can tell",
    NOT_MADE: "could not be made",
}
CELL_CHARACTERS = 220
SPECIAL = re.compile(r"[\\<>*_\[\]]")


def to_markdown(rows: list[Row], versions: list[str]) -> str:
    """Return the counts by outcome, the versions, and a table for each group."""
    counts = Counter(row.outcome for row in rows)
    parts = [f"Of {len(rows)} artifacts:\n"]
    for outcome, words in SUMMARY.items():
        if counts[outcome]:
            parts.append(f"* {counts[outcome]} {words}")
    parts.append("")
    parts += [f"{line}\n" for line in versions]
    for group in dict.fromkeys(row.group for row in rows):
        parts.append(f"## {group}\n\n{HEAD}")
        parts += [to_line(row) for row in rows if row.group == group]
        parts.append("")
    return "\n".join(parts)


def to_line(row: Row) -> str:
    """Return a row as a line of Markdown; wrong and broken ones are marked."""
    name, loaded, *others = map(
        to_cell, [row.name, row.loaded, row.answers, row.explained, row.fast]
    )
    if row.outcome not in {EQUAL, REFUSED}:
        loaded = f"**{row.outcome}:** {loaded}"
    return f"| {' | '.join([name, loaded, *others])} |"


def to_cell(text: str) -> str:
    """Return a text that fits into a cell of Markdown."""
    line = " ".join(text.split())
    if len(line) > CELL_CHARACTERS:
        line = line[: CELL_CHARACTERS - 1] + "…"
    parts = line.split("`")
    # What stands between backticks is code, where a backslash would be shown.
    for number in range(0, len(parts), 2):
        parts[number] = SPECIAL.sub(r"\\\g<0>", parts[number])
    return "`".join(parts).replace("|", "\\|")
