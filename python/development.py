"""Development: what `python service.py` runs, with a reloader and what to do next."""

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
    model.add_done_callback(partial(print_next_steps, settings))
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


def print_next_steps(settings: Settings, future: Future[Model]) -> None:
    """Print where to see the model, how to call it and how to replace it, if there is one."""
    if future.exception() is not None:
        return
    lines = ["", "The model is ready."]
    if settings.page:
        lines.append(f"  In a browser: http://localhost:{settings.port}/")
    # The command has a line of its own, so that a double click selects what can be pasted.
    lines += ["  In another terminal:", curl(settings, future.result())]
    name = settings.model_path.name
    lines.append(
        f"  A model of your own: save it in place of {name}, and start again "
        "(docs/your-model.md).\n"
    )
    # All goes out in one piece, because other threads write to the log.
    print("\n".join(lines), flush=True)


def curl(settings: Settings, model: Model) -> str:
    """Return a shell command that requests the prediction of a record from the service.

    It requests probabilities and an explanation as well where the model offers them.
    """
    flags = []
    if model.offers_probabilities:
        flags.append("proba")
    if model.offers_explanations:
        flags.append("explain")
    root = f"http://localhost:{settings.port}"
    needs_key = bool(settings.api_key)
    return curl_command(model, root, flags, needs_key=needs_key)
