"""Settings of Sphinx; `make docs` builds the pages."""

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent.parent))

from python import __version__

project = "ML Model Deployment"
author = "the ML Model Deployment authors"
copyright = f"2026 {author}"
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "explanations-*.md", "*-table.md"]  # the tables are part of a page
html_theme = "furo"
html_title = f"{project} {release}"
default_role = "code"
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

# Names of other projects: the pages are built without a network, so nothing tells where they are documented.
nitpick_ignore_regex = [("py:.*", r"(?!python\.)\w+\..*")]


def setup(app: Sphinx) -> None:
    """Connect what the settings above cannot say."""
    app.connect("autodoc-process-signature", _readable)


def _readable(*event: Any) -> tuple[str | None, str | None]:
    """A signature that Sphinx can read: a dataclass writes `<factory>` for a default, which is not Python."""
    signature, returns = event[-2:]
    return signature and signature.replace("<factory>", "..."), returns
