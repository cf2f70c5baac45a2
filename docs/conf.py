"""Settings of Sphinx. `make docs` builds the pages in `docs/_build/html`."""

import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

sys.path.insert(0, str(Path(__file__).parent.parent))

from python import __version__

project = "ML Model Deployment"
author = "the ML Model Deployment authors"
copyright = f"2026 {author}"
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
templates_path = ["_templates"]
# The tables are included by other pages.
exclude_patterns = ["_build", "_templates", "explanations-*.md", "*-table.md"]
html_theme = "furo"
html_title = f"{project} {release}"
default_role = "code"
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

# The pages are built without a network, so Sphinx cannot look up the names of other projects.
nitpick_ignore_regex = [("py:.*", r"(?!python\.)\w+\..*")]
# A type variable is nothing that has a page.
nitpick_ignore = [("py:class", "python.model.verdicts.Kind")]


def setup(app: Sphinx) -> None:
    """Register the two functions below with Sphinx."""
    app.connect("config-inited", _remove_generated_pages)
    app.connect("autodoc-process-signature", _make_signature_readable)


def _remove_generated_pages(app: Sphinx, _config: Config) -> None:
    """Delete the module pages of the last build: modules may have been renamed since."""
    shutil.rmtree(Path(app.srcdir) / "code", ignore_errors=True)


def _make_signature_readable(*event: Any) -> tuple[str | None, str | None]:
    """Replace the `<factory>` that a dataclass shows for a default: Sphinx reads only Python."""
    signature, returns = event[-2:]
    return signature and signature.replace("<factory>", "..."), returns
