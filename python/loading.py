"""The model to come: it is loaded at once or in the background, and then prepared by a thread."""

import logging
import os
import sys
import time
import traceback
from concurrent.futures import Future
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Thread

from python.api.examples import check_examples
from python.api.responses import check_info
from python.errors import ArtifactError, NotReady, ServiceError
from python.model import load_model
from python.model.base import Budget, Model
from python.model.versions import refuse_versions
from python.settings import PROJECT, Settings

log = logging.getLogger(__name__)

MODEL_CODE = PROJECT / "model_code"
# After that, a model that takes long to prove is served all the same.
EXPLAINS_AFTER_SECONDS = 3.0
# So long a request waits for the thread that prepares to let go of the interpreter.
SWITCH_SECONDS = 0.0005
RETRY_LOADING_SECONDS = 1
RETRY_FAILED_SECONDS = 60


class Readiness:
    """Whether the model is there: the state of its future, which is pending, done or failed.

    The state is kept in fields. To read one takes 0.1 microseconds; to look into the future takes
    2 microseconds, for its three locks.
    """

    def __init__(self, model: Model | Future[Model]) -> None:
        """Take a loaded model, or the future of one."""
        self._model: Model | None = None
        self._error: BaseException | None = None
        if isinstance(model, Future):
            model.add_done_callback(self._keep_state)
        else:
            self._model = model

    def loaded_model(self) -> Model:
        """Return the model; raise NotReady while it is loading, and after that has failed."""
        if self._model is not None:
            return self._model
        if self._error is None:
            raise NotReady("the model is being loaded", RETRY_LOADING_SECONDS)
        if isinstance(self._error, ServiceError):
            reason = self._error.detail
        else:
            name = type(self._error).__name__
            reason = (
                f"the model could not be loaded ({name}); the log has more"
            )
        raise NotReady(reason, RETRY_FAILED_SECONDS)

    def version(self) -> str | None:
        """Return the version of the model; None as long as there is no model."""
        return None if self._model is None else self._model.version

    def _keep_state(self, future: Future[Model]) -> None:
        self._error = future.exception()
        if self._error is None:
            self._model = future.result()


def load_to_serve(settings: Settings) -> Model:
    """Return what `load` does, once it explains records or three seconds later."""
    model = load(settings)
    model.await_explanations(EXPLAINS_AFTER_SECONDS)
    return model


def load(settings: Settings, *, explains: bool = True) -> Model:
    """Return the model of the settings, ready to predict; raise ArtifactError in one sentence.

    A thread prepares explanations, unless `explains` is false, and with `fast_predict` faster
    predictions, while the model is served. Where `python.production` has started several
    processes, one of them proves both for all.
    """
    started = time.perf_counter()
    model = load_checked(settings.model_path, settings)
    model.load_seconds = time.perf_counter() - started
    prepare_all = partial(prepare, model, settings, explains=explains)
    if explains:
        # A request may come before the thread has begun.
        model.announce_explanations(explanation_budget(settings))
    if settings.fast_predict:
        model.announce_speed_up()
    Thread(target=prepare_all, name="prepare", daemon=True).start()
    return model


def prepare(
    model: Model, settings: Settings, *, explains: bool = True
) -> None:
    """Prepare what a model needs to explain, if it does, and to predict faster."""
    sys.setswitchinterval(SWITCH_SECONDS)
    verdicts = find_verdicts()
    if explains:
        model.prepare_explanations(explanation_budget(settings), verdicts)
    if settings.fast_predict:
        model.speed_up(verdicts)


def find_verdicts() -> Path | None:
    """Return the folder for what is proven of a model with the code that is there now.

    None where `python.production` has not started several processes.
    """
    folder = os.environ.get("SERVICE_VERDICTS")
    if not folder:
        return None
    digest = sha256()
    for path in sorted(MODEL_CODE.rglob("*.py")):
        digest.update(str(path.relative_to(MODEL_CODE)).encode())
        digest.update(path.read_bytes())
    return Path(folder) / digest.hexdigest()


def explanation_budget(settings: Settings) -> Budget:
    """Return how many seconds an explanation, and its proof, may take.

    A request may wait for half as long as it may compute: both must end before the server ends the
    process.
    """
    request_seconds = min(
        settings.max_explain_seconds, settings.request_timeout / 2
    )
    return Budget(request_seconds, settings.max_proof_seconds)


def load_checked(path: Path, settings: Settings) -> Model:
    """Return the model in the file, which predicts for its examples what it did when saved.

    A module in `model_code/` is found as `model_code.name`, and as `name` if nothing else is called
    so. Raises ArtifactError in one sentence.
    """
    if str(MODEL_CODE) not in sys.path:
        sys.path.append(str(MODEL_CODE))
    model = load_model(
        path,
        settings.model_type,
        settings.model_sha256,
        settings.trusted_types.replace(",", " ").split(),
    )
    if settings.strict_versions and model.other_versions:
        raise ArtifactError(refuse_versions(model.other_versions))
    check_examples(model)
    check_info(model)
    return model


def load_in_background(settings: Settings, future: Future[Model]) -> None:
    """Return at once; a thread loads the model of the settings and completes the future.

    If the model cannot be loaded, the thread logs why, and the future has the exception.
    """
    arguments = (settings, future)
    Thread(
        target=_complete, args=arguments, name="load-model", daemon=True
    ).start()


def _complete(settings: Settings, future: Future[Model]) -> None:
    try:
        model = load_to_serve(settings)
    except BaseException as error:
        # The code in a model file may even exit; /ready has to say so instead of "loading".
        trace = "" if isinstance(error, ServiceError) else _trace(error)
        log.error("not ready: %s%s", error, trace)
        future.set_exception(error)
    else:
        future.set_result(model)


def _trace(error: BaseException) -> str:
    """Return the type of an error that nobody has foreseen, and where it was raised."""
    lines = "".join(traceback.format_tb(error.__traceback__))
    return f" ({type(error).__name__}) at\n{lines}"
