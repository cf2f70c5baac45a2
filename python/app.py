"""The hallway: the only module that knows both rooms."""

import json
import logging
import os
import shlex
import time
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any

from dotenv import dotenv_values
from flask import Flask
from werkzeug.serving import is_running_from_reloader, run_simple

from python import __version__
from python.api import auth, problems, request_id
from python.api.requests import Limits
from python.api.routes import routes
from python.model import FAMILIES, load_model
from python.model.base import Model
from python.settings import PROJECT, Settings

log = logging.getLogger(__name__)


def create_app(
    settings: Settings | None = None, model: Model | Future[Model] | None = None
) -> Flask:
    """The service as a WSGI application; without a model given, it is loaded before this returns.

    Raises SettingsError or ArtifactError, so that a process that cannot serve does not start.
    """
    settings = settings or Settings.from_environ(os.environ, FAMILIES)
    request_id.configure_logging(settings.log_level)
    app = Flask(__name__, static_folder=None)
    app.config.update(
        MODEL=model if isinstance(model, Future) else done(model or load(settings)),
        LIMITS=limits(settings),
        SERVICE_INFO=service_info(settings),
    )
    problems.handle_errors(app)
    request_id.identify_answers(app)
    auth.require_key(app, settings.api_key)
    app.register_blueprint(routes)
    return app


def limits(settings: Settings) -> Limits:
    """What the settings say of requests."""
    return Limits(
        reject_unknown=settings.unknown_features == "reject",
        max_content_length=settings.max_content_length,
        max_explain_rows=settings.max_explain_rows,
        max_explain_predictions=settings.max_explain_predictions,
    )


def service_info(settings: Settings) -> dict[str, Any]:
    """What /service-info says: what this service is, and since when it runs, in seconds since 1970."""
    return {
        "debug": settings.debug,
        "environment": settings.environment,
        "running-since": time.time(),
        "serving-model-name": settings.model_name,
        "serving-model-type": settings.model_type,
        "version-template": __version__,
    }


def develop() -> None:
    """Serve for development: settings also from `variables.env`, the model loaded while /health answers already.

    With DEBUG, a changed file of the code, or of the model, starts the service anew.
    """
    environ = {**dotenv_values(PROJECT / "variables.env"), **os.environ}
    settings = Settings.from_environ(
        {name: value or "" for name, value in environ.items()}, FAMILIES
    )
    only_watching = settings.debug and not is_running_from_reloader()
    app = create_app(
        settings, Future() if only_watching else load_in_background(settings)
    )
    app.config["MODEL"].add_done_callback(partial(print_curl, settings))
    watched = [str(settings.model_path)]
    run_simple(
        settings.host,
        settings.port,
        app,
        threaded=True,
        use_reloader=settings.debug,
        extra_files=watched,
    )


def print_curl(settings: Settings, future: Future[Model]) -> None:
    """Print a line to paste once there is a model; in one piece, since other threads write log lines."""
    if future.exception() is None:
        print(f"{curl(settings, future.result())}\n", end="", flush=True)


def curl(settings: Settings, model: Model) -> str:
    """A line for a shell that asks the service for a prediction."""
    flags = []
    if model.offers_probabilities:
        flags.append("proba=1")
    if model.offers_explanations:
        flags.append("explain=1")
    url = (
        f"http://localhost:{settings.port}/predict"
        + ("?" if flags else "")
        + "&".join(flags)
    )
    return f"curl -d {shlex.quote(json.dumps(model.example()))} {shlex.quote(url)}"


def load(settings: Settings) -> Model:
    """The model that the settings name, which prepares to be faster while it is served; raises ArtifactError."""
    model = load_model(settings.model_path, settings.model_type, settings.model_sha256)
    if settings.fast_predict:
        Thread(target=model.speed_up, name="speed-up", daemon=True).start()
    return model


def load_in_background(settings: Settings) -> Future[Model]:
    """The model to come: a thread loads it, and logs a line if it cannot."""
    future: Future[Model] = Future()
    Thread(
        target=_fulfil, args=(future, settings), name="load-model", daemon=True
    ).start()
    return future


def done(model: Model) -> Future[Model]:
    """A future that already has its model."""
    future: Future[Model] = Future()
    future.set_result(model)
    return future


def _fulfil(future: Future[Model], settings: Settings) -> None:
    try:
        future.set_result(load(settings))
    except (
        BaseException
    ) as error:  # even if the file's code asks to exit, /ready tells of it
        log.error("not ready: %s", error)
        future.set_exception(error)
