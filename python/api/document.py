"""The page as one document: its HTML with its style, its modules and its icon inside.

For each file of its own a browser waits once more, a third of the time until the page can be used.
They are joined by each process, once, and not by a tool before.

There are two scripts. The first shows the form, and then runs the second, which is a text until
then: a browser reads scripts before it draws anything. They are classic scripts, so that the second
finds what the first has defined.

A module names what it imports on one line for each file, `import { fill, h } from "./dom.js";`, and
nothing is called otherwise than where it is defined. So to join them, these lines go, and `export`.
"""

import gzip
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from hashlib import sha256
from pathlib import Path

ICON = 'href="icon.png"'
DATA_START = b'<script type="application/json" id="model">'
DATA_END = b"</script>"
DATA = DATA_START + DATA_END
STYLE = '<link rel="stylesheet" href="style.css">'
FIRST = '<script src="main.js"></script>'
LATER = '<script type="text/plain" id="later" src="later.js"></script>'
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(
    r"^export (?=async |class |const |function |let )", re.MULTILINE
)
# Nothing is loaded from elsewhere, nothing runs that is not a part of the document, and no site
# shows the page as a part of its own.
POLICY = (
    "default-src 'none'; script-src '{first}' '{later}'; style-src '{style}'; connect-src 'self'; "
    "img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class Document:
    """A page as HTML, and its content security policy.

    The policy lets its own scripts and style in, and no other: it names them by their hashes (CSP
    Level 3, section 6.7.2.3). Data is no script.
    """

    html: bytes
    policy: str

    @cached_property
    def packed(self) -> bytes:
        """The HTML, compressed by gzip."""
        return gzip.compress(self.html, mtime=0)


@cache
def read_document(folder: Path) -> Document:
    """Return the page whose HTML, style, icon and modules are the files of a folder.

    Raises ValueError where the HTML does not name each of them once.
    """
    # For an SVG, Chromium would make a page of its own before it draws this one.
    icon = b64encode((folder / "icon.png").read_bytes()).decode()
    style = _read(folder / "style.css")
    first, later = read_scripts(folder)
    html = _read(folder / "index.html")
    for part, inside in (
        (FIRST, f"<script>{first}</script>"),
        (LATER, f'<script type="text/plain" id="later">{later}</script>'),
        (STYLE, f"<style>{style}</style>"),
        (ICON, f'href="data:image/png;base64,{icon}"'),
    ):
        before, after = html.split(part)
        html = before + inside + after
    if html.encode().count(DATA) != 1:
        raise ValueError("the page has no place for the model, or several")
    policy = POLICY.format(
        first=_hash(first), later=_hash(later), style=_hash(style)
    )
    return Document(html.encode(), policy)


# There is one model, so the last data is enough.
@lru_cache(maxsize=1)
def add_data(page: Document, data: bytes) -> Document:
    """Return a page with JSON in it, where its script finds it."""
    # Nothing in a text may end the element (HTML, section 4.12.1.3).
    inside = data.replace(b"<", rb"\u003c")
    html = page.html.replace(DATA, DATA_START + inside + DATA_END)
    return Document(html, page.policy)


def read_scripts(folder: Path) -> tuple[str, str]:
    """Return the script that shows the form, and the one that is run once it is shown.

    In each is a module, and what it imports before it; the second has nothing that the first has.
    """
    parts: dict[Path, str] = {}
    _add(folder / "main.js", parts)
    n_first = len(parts)
    _add(folder / "later.js", parts)
    texts = list(parts.values())
    return _join(texts[:n_first]), _join(texts[n_first:])


def _join(modules: list[str]) -> str:
    # A module is strict of itself (ECMAScript, section 11.2.2).
    return "\n".join(['"use strict";', *modules])


def _add(module: Path, parts: dict[Path, str]) -> None:
    """Add what a module imports, and then the module, unless they are there."""
    if module in parts:
        return
    text = _read(module)
    for name in IMPORT.findall(text):
        _add(module.with_name(name), parts)
    parts[module] = EXPORT.sub("", IMPORT.sub("", text))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
