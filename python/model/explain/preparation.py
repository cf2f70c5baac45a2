"""Preparation: an explainer is proven in a thread; the model predicts meanwhile."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from python.errors import NotReady, Unprocessable
from python.model.base import DEFAULT_BUDGET, Budget
from python.model.data.spelling import one_line
from python.model.explain.explainer import Explainer

log = logging.getLogger(__name__)

BEING_PREPARED = "the explanations are being prepared"
RETRY_SECONDS = 2
NO_EXPLAINER = "its explanations cannot be prepared (%s)"

MakeExplainer = Callable[[Budget, Path | None], Explainer]
"""From a budget, and a folder for what is found, to an explainer that has proven nothing yet."""


class Preparation:
    """The explainer of a model, for those who can wait for it.

    Records without the background of a request can be explained before those with one.
    """

    def __init__(self, make: MakeExplainer) -> None:
        self._make = make
        self._budget = DEFAULT_BUDGET
        self._explainer: Explainer | None = None
        self._reason = ""
        self._running = threading.Lock()
        self._is_announced = False
        self._has_alone = threading.Event()
        self._is_complete = threading.Event()

    def announce(self, budget: Budget) -> None:
        """Say that `run` will be called, with this budget: whoever waits does not call it."""
        self._budget = budget
        self._is_announced = True

    def run(self, budget: Budget, verdicts: Path | None = None) -> None:
        """Prove the methods that explain; what goes wrong is a reason, and no error.

        `verdicts` is a folder in which the processes that serve the same file keep what they find.
        """
        with self._running:
            if self._is_complete.is_set():
                return
            self._budget = budget
            try:
                with np.errstate(all="ignore"):
                    self._prove(budget, verdicts)
            except Exception as error:
                # There are more estimators than anybody knows.
                self._explainer = None
                self._reason = NO_EXPLAINER % one_line(error)
                log.warning("no explanations: %s", self._reason)
            self._has_alone.set()
            self._is_complete.set()

    def _prove(self, budget: Budget, verdicts: Path | None) -> None:
        explainer = self._make(budget, verdicts)
        explainer.prove_alone()
        self._explainer = explainer
        if explainer.explains_alone:
            self._has_alone.set()
        explainer.prove_against()

    def wait_quietly(self, seconds: float) -> None:
        """Return once it is proven how records are explained alone, or after that time."""
        self._has_alone.wait(seconds)

    def wait(self, *, alone: bool) -> Explainer:
        """Return the explainer, of records without the background of a request if `alone`.

        Waits for half of what an explanation may take, as both must end before the request does.
        Raises NotReady if it is not prepared by then, and Unprocessable if it cannot be.
        """
        prepared = self._has_alone if alone else self._is_complete
        is_expected = self._is_announced or self._running.locked()
        if not prepared.is_set() and not is_expected:
            self.run(self._budget)
        if not prepared.wait(self._budget.request_seconds / 2):
            raise NotReady(BEING_PREPARED, RETRY_SECONDS)
        if self._explainer is None:
            raise Unprocessable(
                f"the model cannot be explained: {self._reason}"
            )
        return self._explainer

    def info(self) -> dict[str, Any]:
        """Return how the model is explained, or why not; nothing is computed for it."""
        if not self._is_complete.is_set():
            return {
                "explanation": "being prepared",
                "is_explainable": None,
                "reason": None,
            }
        if self._explainer is None:
            return {
                "explanation": "ready",
                "is_explainable": False,
                "reason": self._reason,
            }
        return {"explanation": "ready", **self._explainer.info()}
