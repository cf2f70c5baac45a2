"""The factory: the only module that knows every room, and gives each what it needs."""

import logging
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from flask import Flask

from python import __version__
from python.api.auth import require_key
from python.api.cors import allow_origins
from python.api.exchange import Follow, follow_exchanges
from python.api.logs import log_exchange, log_to_standard_output
from python.api.openapi import Terms
from python.api.page import Entrance, encode_model, make_page
from python.api.prefix import answer_under
from python.api.problems import handle_errors
from python.api.requests import Limits, make_reader
from python.api.routes import Service, make_routes
from python.api.scrapes import make_scrapes
from python.api.swagger import make_docs
from python.api.unread import discard_unread_bodies
from python.keys import Keys
from python.loading import Readiness, load_to_serve
from python.metrics.exposition import CONTENT_TYPE
from python.metrics.recorder import Recorder, make_exposition, make_slot
from python.model import FAMILIES
from python.model.base import Model
from python.settings import Settings, find_misspelt

log = logging.getLogger(__name__)


def create_app(
    settings: Settings | None = None,
    model: Model | Future[Model] | None = None,
) -> Flask:
    """Return the service as a WSGI application; without a `model`, load the one of the settings.

    Raises SettingsError or ArtifactError, so that a process that cannot serve does not start.
    """
    names = () if settings else os.environ
    settings = settings or Settings.from_environ(os.environ, FAMILIES)
    log_to_standard_output(settings.log_level)
    warn_of_names(names)
    model = model or load_to_serve(settings)
    readiness = Readiness(model)
    followers: list[Follow] = [log_exchange]
    app = Flask(__name__, static_folder=None)
    handle_errors(app)
    allow_origins(app, settings.cors_origins)
    answer_under(app, settings.url_prefix)
    discard_unread_bodies(app, settings.max_content_length)
    follow_exchanges(app, readiness.version, followers)
    service = make_service(settings, readiness)
    entrance = make_entrance(settings, service)
    if settings.needs_key:
        require_key(app, find_keys(settings).find_client, entrance.is_open)
    app.register_blueprint(make_routes(service))
    app.register_blueprint(make_docs())
    app.register_blueprint(make_page(entrance))
    followers.append(record(app, settings, model).follow)
    # What follows would take the first requests up to 20 milliseconds, for hundreds of features,
    # and 5 to import a codec for the name of the host and to sort the routes.
    when_loaded(model, partial(make_reader, limits=service.limits))
    when_loaded(model, partial(encode_model, entrance=entrance))
    app.url_map.bind("localhost").test("/health")
    return app


def when_loaded(
    model: Model | Future[Model], act: Callable[[Model], object]
) -> None:
    """Call a function with the model, at once or as soon as it is loaded; never if that fails."""

    def take(future: Future[Model]) -> None:
        if future.exception() is None:
            act(future.result())

    if isinstance(model, Future):
        model.add_done_callback(take)
    else:
        act(model)


def warn_of_names(names: Iterable[str]) -> None:
    """Log a line for each variable that has nearly the name of a setting, without its value."""
    for sentence in find_misspelt(names):
        log.warning(sentence)


def find_keys(settings: Settings) -> Keys:
    """Return the keys; where several processes serve, one that starts knows those of the others."""
    memory = os.environ.get("SERVICE_KEYS")
    return Keys(settings, Path(memory) if memory else None)


def record(
    app: Flask, settings: Settings, model: Model | Future[Model]
) -> Recorder:
    """Return what counts exchanges for `/metrics`, which has a route where the settings say so."""
    slot = make_slot()
    app.extensions["metrics"] = make_exposition(slot)
    if settings.metrics_public:
        expose = app.extensions["metrics"]
        app.register_blueprint(make_scrapes(expose, CONTENT_TYPE))
    routes = [rule.rule for rule in app.url_map.iter_rules()]
    recorder = Recorder(slot, routes, settings.model_type)
    when_loaded(model, recorder.take_model)
    return recorder


def make_service(settings: Settings, readiness: Readiness) -> Service:
    """Return what the routes need of the settings, and of the model that may still be loading."""
    limits = Limits(
        reject_unknown=settings.unknown_features == "reject",
        max_content_length=settings.max_content_length,
        max_explain_rows=settings.max_explain_rows,
    )
    info = {
        "debug": settings.debug,
        "environment": settings.environment,
        "running-since": time.time(),
        "serving-model-name": settings.model_name,
        "serving-model-type": settings.model_type,
        "version-template": __version__,
    }
    terms = Terms(
        settings.model_name,
        reject_unknown=limits.reject_unknown,
        needs_key=settings.needs_key,
        prefix=settings.url_prefix,
    )
    return Service(readiness.loaded_model, limits, info, terms)


def make_entrance(settings: Settings, service: Service) -> Entrance:
    """Return what `/` needs of the settings, and of the service behind it."""
    return Entrance(
        loaded_model=service.loaded_model,
        limits=service.limits,
        name=settings.model_name,
        has_page=settings.page,
        needs_key=settings.needs_key,
    )
