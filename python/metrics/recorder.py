"""The recorder: it follows each exchange, and adds to the cells of this process."""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

from python.errors import Fault, ServiceError
from python.metrics.exposition import expose_folder, expose_slot
from python.metrics.folder import Slot
from python.metrics.model_counts import ModelCounts
from python.metrics.service_counts import FIRST_PROBLEM, ServiceCounts
from python.model.base import Model, Predictions

log = logging.getLogger(__name__)


class Exchange(Protocol):
    """What is counted of a request and its response."""

    route: str
    status: int
    client: str
    predictions: Predictions | None
    error: Exception | None
    seconds: float
    predict_seconds: float
    explain_seconds: float


class Recorder:
    """Counts exchanges, in any number of threads; it never fails a request."""

    def __init__(self, slot: Slot, routes: Iterable[str], family: str) -> None:
        """Take the rules of all routes, and what the family of models is called."""
        self._slot = slot
        self._family = family
        self._service = ServiceCounts(slot, routes)
        self._model: ModelCounts | None = None
        self._lock = Lock()
        self._is_broken = False

    def take_model(self, model: Model) -> None:
        """Count what this model is asked about from now on: its series are there, at 0."""
        try:
            self._model = ModelCounts(self._slot, model, self._family)
        except Exception as error:
            # A profile that was written by hand may be anything.
            log.warning("no metrics of the model: %s", type(error).__name__)

    def follow(self, exchange: Exchange) -> None:
        """Count an exchange, before its response is sent."""
        try:
            with self._lock:
                self._count(exchange)
        except Exception:
            if not self._is_broken:
                self._is_broken = True
                log.exception("an exchange could not be counted")

    def _count(self, exchange: Exchange) -> None:
        service = self._service
        status = exchange.status
        service.count_request(exchange.route, status, exchange.seconds)
        if exchange.client:
            service.count_client(exchange.client, status)
        if status >= FIRST_PROBLEM:
            service.count_problem(status, exchange.error)
        if exchange.predictions is not None:
            service.count_model_seconds(
                exchange.predict_seconds, exchange.explain_seconds
            )
        if self._model is not None:
            count_model(self._model, exchange)


def count_model(model: ModelCounts, exchange: Exchange) -> None:
    """Count what the model has predicted in an exchange, or what did not fit it."""
    if exchange.predictions is not None:
        model.count_predictions(exchange.predictions)
    faults = find_faults(exchange.error)
    if faults:
        model.count_faults(faults)


def find_faults(error: Exception | None) -> Sequence[Fault]:
    """Return the faults in records that were the reason of a problem."""
    return error.faults if isinstance(error, ServiceError) else ()


def make_slot() -> Slot:
    """Return the place of this process: of uWSGI's worker, where one was started for production."""
    folder = os.environ.get("SERVICE_METRICS")
    return Slot(Path(folder) if folder else None, find_worker())


def find_worker() -> int:
    """Return the number of uWSGI's worker, 0 outside of uWSGI."""
    # uWSGI makes the module; pyuwsgi, which is its program, has one of the same name.
    count: Callable[[], int] = getattr(
        sys.modules.get("uwsgi"), "worker_id", int
    )
    return count()


def make_exposition(slot: Slot) -> Callable[[], bytes]:
    """Return a function that returns all metrics of the replica as text."""
    if slot.folder is None:
        return expose_slot(slot)
    statistics = os.environ.get("SERVICE_STATISTICS")
    return expose_folder(slot.folder, Path(statistics) if statistics else None)
