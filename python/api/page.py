"""The page: `GET /` for people, what it says to programs, and what it needs of the model.

The page itself is the files in `python/page/`: HTML, CSS and JavaScript that hold nothing of a
model. Where clients need no key, what they show of it is sent with them; else they request it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, Request, Response, request
from msgspec import Raw

from python.api.curl import curl_command
from python.api.document import Document, add_data, read_document
from python.api.problems import description_link
from python.api.requests import Limits
from python.api.responses import (
    ENCODER,
    JSON_TYPE,
    Content,
    info_content,
    respond,
)
from python.errors import NotReady
from python.model.base import Model

FILES = Path(__file__).parent.parent / "page"
PATHS = {
    "GET /health": "whether the process responds",
    "GET /ready": "whether the model is loaded and predicts",
    "GET /service-info": "how the service is configured, and since when it runs",
    "GET /info": "what the model is, and the features that it takes",
    "GET /features": "the features alone, with their importances",
    "POST /predict": "predictions; probabilities with ?proba=1, SHAP values with ?explain=1",
    "POST /preprocess": "the records as the last step of the model sees them",
    "GET /openapi.json": "all of this as an OpenAPI document",
    "GET /docs": "the OpenAPI document, for people",
}

DRAWN = ("range", "quantiles")
"""What the page draws of the values that a feature had in the training data."""


@dataclass(frozen=True)
class Entrance:
    """What the first page of the service depends on.

    `loaded_model` returns the model; it raises NotReady while there is none. `has_page` says
    whether people get the page, and `needs_key` whether clients send a key.
    """

    loaded_model: Callable[[], Model]
    limits: Limits
    name: str
    has_page: bool
    needs_key: bool

    def is_open(self, request: Request) -> bool:
        """Return whether the request is for the page, which comes without the model then."""
        return self.has_page and request.path == "/" and prefers_html(request)


def make_page(entrance: Entrance) -> Blueprint:
    """Return the routes of the entrance: `/`, and where there is the page, what belongs to it."""
    routes = Blueprint("entrance", __name__)

    @routes.get("/")
    def index() -> Response:
        """Return the page to a browser, and to a program what there is, as JSON."""
        if entrance.has_page and prefers_html(request):
            response = _send_page(request, entrance)
        else:
            model = entrance.loaded_model()
            response = respond(describe(model, entrance, request))
        response.headers["Link"] = description_link()
        response.vary.add("Accept")
        return response

    if not entrance.has_page:
        return routes

    @routes.get("/page/model")
    def page_model() -> Response:
        """Return what the page needs of the model, where it came without."""
        content = encode_model(entrance.loaded_model(), entrance)
        return Response(content, HTTPStatus.OK, mimetype=JSON_TYPE)

    return routes


def prefers_html(request: Request) -> bool:
    """Return whether a client prefers HTML to JSON, as browsers do; curl takes anything."""
    best = request.accept_mimetypes.best_match([JSON_TYPE, "text/html"])
    return best == "text/html"


def describe(model: Model, entrance: Entrance, request: Request) -> Content:
    """Return what a program wants to know first: the model, the paths, and a command to try."""
    root = _find_root(request)
    info = model.info()
    flags = []
    if model.offers_probabilities:
        flags.append("proba")
    # Whether it offers explanations it says only once they are prepared: `/` waits for nothing.
    if info["is_explainable"] and not info["needs_samples"]:
        flags.append("explain")
    return {
        "model": {
            "name": entrance.name,
            "version": model.version,
            "task": model.task,
            "class_names": info["class_names"],
            "features": model.schema.names,
        },
        "curl": curl_command(model, root, flags, needs_key=entrance.needs_key),
        "paths": _list_paths(request.root_path),
    }


def _list_paths(prefix: str) -> dict[str, str]:
    """Return the paths and what they are for, each behind its method and the prefix."""
    paths = {}
    for route, meaning in PATHS.items():
        method, path = route.split()
        paths[f"{method} {prefix}{path}"] = meaning
    return paths


def encode_model(model: Model, entrance: Entrance) -> bytes:
    """Return what the page needs of a model, as JSON: what `/info` has, and what it is about."""
    info = info_content(model)
    about = _encode_rest(model, entrance)
    return ENCODER.encode({**info, "version": model.version, "about": about})


# There is one model, and this stays what it is: 20 milliseconds for hundreds of features.
@lru_cache(maxsize=1)
def _encode_rest(model: Model, entrance: Entrance) -> Raw:
    """Return what the page needs of a model besides `/info`, as JSON."""
    content = {
        "name": entrance.name,
        "example": model.example(),
        "labels": model.labels,
        "n_outputs": model.n_outputs,
        "profile": dict(_list_drawn(model.profile)),
        "needs_key": entrance.needs_key,
        "max_content_length": entrance.limits.max_content_length,
        "max_explain_rows": entrance.limits.max_explain_rows,
    }
    return Raw(ENCODER.encode(content))


def _list_drawn(profile: Mapping[str, Any]) -> Iterator[tuple[str, Content]]:
    """Yield each feature of a profile with what the page draws of it, which is less than half."""
    for name, of_feature in profile.items():
        # It may have been written by hand.
        if isinstance(of_feature, Mapping):
            kept = [key for key in DRAWN if key in of_feature]
            yield name, {key: of_feature[key] for key in kept}


def _find_root(request: Request) -> str:
    """Return the URL of the service as the client knows it, also behind a proxy that does TLS."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    if scheme not in ("http", "https"):
        scheme = request.scheme
    return f"{scheme}://{request.host}{request.root_path}"


def _send_page(request: Request, entrance: Entrance) -> Response:
    """Return the page, as short as the client can read it."""
    document = _fill_page(entrance)
    response = Response(document.html, mimetype="text/html")
    if request.accept_encodings.quality("gzip"):
        response.data = document.packed
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    # A browser asks each time whether the page has changed.
    response.cache_control.no_cache = True
    response.headers["Content-Security-Policy"] = document.policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.add_etag()
    response.make_conditional(request)
    return response


def _fill_page(entrance: Entrance) -> Document:
    """Return the page; where clients need no key, with the model, so that no browser asks twice."""
    page = read_document(FILES)
    if entrance.needs_key:
        return page
    try:
        model = entrance.loaded_model()
    except NotReady:
        return page
    return add_data(page, encode_model(model, entrance))
