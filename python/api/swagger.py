"""The page at `/docs`: Swagger UI, whose files come from a package and not from another host.

It says nothing of the model itself: it reads `/openapi.json`, with the key that its user types in.
"""

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, send_file
from werkzeug.exceptions import NotFound

FOLDER = Path(__file__).with_suffix("")  # the one beside this module
# Everything comes from the service; Swagger UI has pictures in its style sheet.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
OWN_FILES = ("start.js",)
PACKAGE_FILES = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-32x32.png",
)
PATHS = ("/docs", *(f"/docs/{name}" for name in OWN_FILES + PACKAGE_FILES))


def make_docs() -> Blueprint:
    """Return the page, and the files that it is made of."""
    routes = Blueprint("docs", __name__)

    @routes.get("/docs")
    def docs() -> Response:
        """Return the page."""
        response = send_file(FOLDER / "index.html")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @routes.get("/docs/<name>")
    def docs_file(name: str) -> Response:
        """Return one of the files of the page."""
        return send_file(find_file(name))

    return routes


def find_file(name: str) -> Path:
    """Return where one of the files of the page is; raise NotFound if it is none of them."""
    if name in OWN_FILES:
        return FOLDER / name
    if name in PACKAGE_FILES:
        return Path(str(files("flask_swagger_ui") / "dist" / name))
    raise NotFound
