"""Development: what `python service.py` runs, with a reloader and a command to try the service."""

from concurrent.futures import Future
from functools import partial

from werkzeug.serving import is_running_from_reloader, run_simple

from python.api.curl import curl_command
from python.app import create_app
from python.loading import load_in_background
from python.model import FAMILIES
from python.model.base import Model
from python.settings import Settings


def develop() -> None:
    """Serve until interrupted, with the settings of `variables.env` too; raise SettingsError.

    The service responds while the model is loading.
    With `debug`, a change of the code or of the model file starts the service anew.
    """
    settings = Settings.read(FAMILIES)
    model: Future[Model] = Future()
    app = create_app(settings, model)
    model.add_done_callback(partial(print_curl, settings))
    # The reloader's first process only watches the files; its second one serves.
    if is_running_from_reloader() or not settings.debug:
        load_in_background(settings, model)
    run_simple(
        settings.host,
        settings.port,
        app,
        threaded=True,
        use_reloader=settings.debug,
        extra_files=[str(settings.model_path)],
    )


def print_curl(settings: Settings, future: Future[Model]) -> None:
    """Print a command to paste into a shell, if there is a model."""
    if future.exception() is None:
        command = curl(settings, future.result())
        # The line goes out in one piece, because other threads write to the log.
        print(f"{command}\n", end="", flush=True)


def curl(settings: Settings, model: Model) -> str:
    """Return a shell command that requests the prediction of a record from the service.

    It requests probabilities and an explanation as well where the model offers them.
    """
    flags = []
    if model.offers_probabilities:
        flags.append("proba")
    if model.offers_explanations:
        flags.append("explain")
    return curl_command(model, f"http://localhost:{settings.port}", flags)
