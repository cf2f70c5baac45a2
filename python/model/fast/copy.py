"""Fast answers: the estimator's own, without its overhead for each call, once they have been proven equal."""

import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from python.model.data.records import Coded, Records
from python.model.data.schema import Schema
from python.model.estimator import Steps, layers, of_sklearn
from python.model.fast.predictors import Unproven, compiled, form, tolerance
from python.model.fast.proof import at_once, critical_rows, made_up
from python.model.fast.transformers import Matrix, nameless, plan
from python.model.fast.vocabulary import known
from python.model.refusals import answers

log = logging.getLogger(__name__)

NEAR_TIE = 1e-9
LARGEST = float(np.finfo(np.float32).max)  # scikit-learn's trees refuse more
ALONE = 16  # of the records: what a step makes of one may depend on others
SIZES = (4096, 1024, 256, 64, 16, 4, 1)  # of the batches that are timed


class Fast:
    """Answers of one estimator to coded records, equal to what it says itself."""

    def __init__(self, estimator: Any, steps: Steps, schema: Schema, samples: Any) -> None:
        """`samples` are columns that the estimator takes.

        Raises Exception of any kind for an estimator that cannot be compiled.
        """
        for layer in (*layers(estimator), steps.predictor):
            if not of_sklearn(layer):
                raise ValueError(
                    f"{type(layer).__name__} is not scikit-learn's own, and may answer as it likes"
                )
        self._estimator, self._steps, self.schema = estimator, steps, known(schema, steps)
        self._classes = getattr(estimator, "classes_", None)
        self._method = "predict" if self._classes is None else "predict_proba"
        getattr(estimator, self._method)  # raises where there is none
        self._predictor = nameless(steps.predictor)
        self.plan = plan(steps.transformers, self.schema)
        self._form = form(steps.handed(self.schema.framed(self.schema.coded(samples)[[0, 0]])))
        self.few, self.many = compiled(steps.predictor, self._form)
        self._at_once = at_once(
            max(
                len(schema.features),
                steps.predictor.n_features_in_,
                np.size(getattr(steps.predictor, "coef_", 0)),
            )
        )
        self._takes_missing = True
        # Where something else decides, or the probabilities are not the same to the bit, near ties are the estimator's.
        self._decides_by_probability = not hasattr(steps.predictor, "decision_function")
        self._fewest = self._most = float("inf")

    @classmethod
    def proven(cls, estimator: Any, steps: Steps, schema: Schema, samples: Any) -> Self:
        """The fast answers, after they have met every threshold of the trees, and `samples`, columns, and made-up records.

        Raises Exception of any kind where there are none; Unproven where they differ.
        """
        fast = cls(estimator, steps, schema, samples)
        choose = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            probes = np.concatenate([fast.schema.coded(samples), made_up(fast.schema, choose)])
            fast.measure(fast.prove(probes[:: -(-len(probes) // fast._at_once)], choose))
        return fast

    def answer(self, method: str, records: Records) -> NDArray[Any] | None:
        """What the estimator's `predict` or `predict_proba` says of the records; None where it must be asked itself."""
        if len(records) > self._most or method not in ("predict", self._method):
            return None
        try:
            coded = self._coded(records)
            return None if coded is None else self._answer(method, coded)
        except Exception as error:  # a step refuses these values, and the estimator tells which
            log.debug("the estimator is asked because of %s", type(error).__name__)
            return None

    def _coded(self, records: Records) -> Matrix | None:
        if records.rows is None:
            return records.coded
        read = self.schema.read(records.rows)
        return read.matrix if isinstance(read, Coded) else None

    def _answer(self, method: str, records: Matrix) -> NDArray[Any] | None:
        with np.errstate(all="ignore"):
            seen = self.plan(records)
            # The sum of the squares tells at once what is true of nearly all records.
            if not (np.vdot(seen, seen) <= LARGEST or self._all_taken(seen)):
                return None
            found = (self.few if len(seen) <= self._fewest else self.many)(seen)
        return found if method == self._method else self._labels(found)

    def _all_taken(self, seen: Matrix) -> bool:
        taken = np.abs(seen) <= LARGEST
        return bool(taken.all() or (self._takes_missing and (taken | np.isnan(seen)).all()))

    def _labels(self, probabilities: Matrix) -> NDArray[Any] | None:
        if not self._decides_by_probability:
            ordered = np.sort(probabilities, axis=1)
            if (ordered[:, -1] - ordered[:, -2] < NEAR_TIE).any():
                return None
        labels: NDArray[Any] = self._classes.take(probabilities.argmax(axis=1))  # type: ignore[union-attr]
        return labels

    def prove(self, probes: Matrix, choose: np.random.Generator) -> Matrix:
        """Those of the coded records that are answered; notes how equal the answers are, and whether the predictor takes NaN.

        Raises Unproven for the first answer that differs from the estimator's, and where this one refuses to answer.
        """
        critical = critical_rows(self._predictor, choose)
        first = next(critical)
        gaps = np.where(choose.random(first.shape) < 0.2, np.nan, first)
        gaps[0] = np.nan
        self._takes_missing = answers(self._told, gaps)
        taken = probes[
            [
                self.answer(self._method, Records(Coded(row[None], self.schema))) is not None
                for row in probes
            ]
        ]
        if not len(taken) or not answers(self._asked, taken):
            raise Unproven("the compiled copy answers what the estimator refuses, or nothing")
        seen = np.asarray(self._steps.transform(self.schema.framed(taken)), dtype=float)
        if not np.array_equal(self.plan(taken), seen, equal_nan=True):
            raise Unproven("a step gives other values than its copy")
        for rows in chain([seen, first], [gaps] if self._takes_missing else [], critical):
            for outputs in {self.few, self.many}:
                self._compare(
                    self._told(rows),
                    outputs(rows),
                    partial(self._predictor.predict, self._form(rows)),
                    "estimator",
                )
        for records in (taken, *taken[:ALONE, None]):
            ask_labels = partial(self._estimator.predict, self.schema.framed(records))
            self._compare(
                self._asked(records), self.few(self.plan(records)), ask_labels, "whole model"
            )
        return taken

    def _told(self, seen: Matrix) -> Matrix:
        """What the predictor says of what it sees."""
        return np.asarray(getattr(self._predictor, self._method)(self._form(seen)))

    def _compare(
        self, told: Matrix, found: Matrix, ask_labels: Callable[[], Any], who: str
    ) -> None:
        if not np.array_equal(told, found):
            self._decides_by_probability = False
            scale = (
                1.0
                if self._classes is not None
                else np.abs(told[np.isfinite(told)]).max(initial=1.0)
            )
            most = tolerance(self._predictor) * scale
            if told.shape != found.shape or not np.allclose(
                told, found, rtol=0, atol=most, equal_nan=True
            ):
                raise Unproven(f"the compiled copy gives other values than the {who}")
        labels = None if self._classes is None else self._labels(found)
        if labels is not None and not np.array_equal(labels, ask_labels()):
            raise Unproven(f"the compiled copy gives other labels than the {who}")

    def measure(self, probes: Matrix) -> None:
        """Answer each size of batch in the way that was the fastest at it: for few, for many, or the estimator."""
        if self.few is not self.many:
            self._fewest = _crossing(self.few, self.many, self.plan(probes), self._at_once)
        self._most = _crossing(
            partial(self._answer, self._method), self._asked, probes, self._at_once
        )
        if self._most < 1:
            raise Unproven("the estimator is as fast")

    def _asked(self, records: Matrix) -> Matrix:
        told: Matrix = np.asarray(
            getattr(self._estimator, self._method)(self.schema.framed(records))
        )
        return told


def _crossing(
    one: Callable[[Matrix], Any], other: Callable[[Matrix], Any], records: Matrix, largest: int
) -> int:
    """The number of records, at most `largest`, up to which the one is as fast as the other."""
    most = largest
    for size in (size for size in SIZES if size <= largest):
        batch = np.resize(records, (size, records.shape[1]))
        if _seconds(one, batch) <= _seconds(other, batch):
            return most
        most = size - 1
    return most


def _seconds(ask: Callable[[Matrix], Any], records: Matrix) -> float:
    def once() -> float:
        start = time.perf_counter()
        ask(records)
        return time.perf_counter() - start

    return min(once() for _ in range(3))
