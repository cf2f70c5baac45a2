"""The pages of the documentation, as the tests read them: their lines and their blocks of code."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.models import ROOT

DOCS = ROOT / "docs"
# Those that a command writes are checked by the tests of the command.
WRITTEN_BY_A_COMMAND = ("-table.md", "-costs.md", "-matrix.md")
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code: its language, and what is in it."""

    kind: str
    text: str


def pages() -> list[Path]:
    """Return every page that a person has written."""
    written = [
        page
        for page in sorted(DOCS.glob("*.md"))
        if not page.name.endswith(WRITTEN_BY_A_COMMAND)
    ]
    at_the_top = [
        ROOT / name
        for name in (
            "README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "SECURITY.md",
        )
    ]
    return at_the_top + written


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks_of(name: str) -> list[Block]:
    """Return the blocks of a page, such as `docs/calling.md`, in their order."""
    text = (ROOT / name).read_text()
    return [Block(match[2], match[3]) for match in FENCE.finditer(text)]


def prose_of(page: Path) -> str:
    """Return a page without its blocks."""
    return BLOCK.sub("", page.read_text())


def commands_of(name: str) -> list[tuple[str, Block | None]]:
    """Return each command for curl, with the block after it if that is the response."""
    blocks = blocks_of(name)
    commands: list[tuple[str, Block | None]] = []
    for number, block in enumerate(blocks):
        if block.kind == "bash" and "curl " in block.text:
            following = blocks[number + 1 : number + 2]
            shown = [
                other for other in following if other.kind in ("json", "text")
            ]
            commands.append((block.text, shown[0] if shown else None))
    return commands


def needs(program: str) -> pytest.MarkDecorator:
    """Skip a test where a program is not installed."""
    return pytest.mark.skipif(
        shutil.which(program) is None, reason=f"{program} is not installed"
    )
