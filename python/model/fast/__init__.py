"""Fast answers: the estimator's own, without its overhead for each call, once they have been proven equal."""

import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from python.model.estimator import Steps, layers, of_sklearn
from python.model.fast.plan import Matrix, nameless, plan
from python.model.fast.predictors import CHUNK, Outputs, Unproven, compiled, critical_rows
from python.model.fast.vocabulary import known
from python.model.features import Category
from python.model.records import Coded, Records
from python.model.refusals import answers
from python.model.schema import Schema

log = logging.getLogger(__name__)

TOLERANCE = 1e-12  # of probabilities, and of numbers relative to the largest
NEAR_TIE = 1e-9
NUMBERS = (0.0, 1.0, -1.0, 0.5, 1e-3, 1e-9, 10.0, -100.0, 1e4, 1e6, 1.7e308, -1.7e308)
LARGEST = float(np.finfo(np.float32).max)  # scikit-learn's trees refuse more
PROBES = 256
SIZES = (4096, 1024, 256, 64, 16, 4, 1)  # of the batches that are timed


class Fast:
    """Answers of one estimator to coded records, equal to what it says itself."""

    def __init__(self, estimator: Any, steps: Steps, schema: Schema) -> None:
        """Raises Exception of any kind for an estimator that cannot be compiled."""
        for layer in (*layers(estimator), steps.predictor):
            if not of_sklearn(layer):
                raise ValueError(f"{type(layer).__name__} is not scikit-learn's own, and may answer as it likes")
        self._estimator, self._steps, self.schema = estimator, steps, known(schema, steps)
        self._classes = getattr(estimator, "classes_", None)
        self._method = "predict" if self._classes is None else "predict_proba"
        getattr(estimator, self._method)  # raises where there is none
        self._predictor = nameless(steps.predictor)
        self.plan = plan(steps.transformers, self.schema)
        self.few, self.many = compiled(steps.predictor)
        self._takes_missing = True
        # Where something else decides, or the probabilities are not the same to the bit, near ties are the estimator's.
        self._decides_by_probability = not hasattr(steps.predictor, "decision_function")
        self._fewest = self._most = float("inf")

    @classmethod
    def proven(cls, estimator: Any, steps: Steps, schema: Schema, samples: Any) -> Self:
        """The fast answers, after they have met every threshold of the trees, and `samples`, columns, and made-up records.

        Raises Exception of any kind where there are none; Unproven where they differ.
        """
        fast = cls(estimator, steps, schema)
        choose = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            probes = np.concatenate([fast.schema.coded(samples), made_up(fast.schema, choose)])
            fast.measure(fast.prove(probes, choose))
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
        ask_predictor = getattr(self._predictor, self._method)
        critical = critical_rows(self._predictor, choose)
        first = next(critical)
        gaps = np.where(choose.random(first.shape) < 0.2, np.nan, first)
        gaps[0] = np.nan
        self._takes_missing = answers(ask_predictor, gaps)
        taken = probes[[self.answer(self._method, Records(Coded(row[None], self.schema))) is not None for row in probes]]
        if not len(taken) or not answers(self._asked, taken):
            raise Unproven("the compiled copy answers what the estimator refuses, or nothing")
        seen = np.asarray(self._steps.transform(self.schema.framed(taken)), dtype=float)
        if not np.array_equal(self.plan(taken), seen, equal_nan=True):
            raise Unproven("a step gives other values than its copy")
        for rows in chain([seen, first], [gaps] if self._takes_missing else [], critical):
            for outputs in {self.few, self.many}:
                self._compare(rows, ask_predictor, outputs)
        self._compare_whole(taken)
        return taken

    def _compare(self, seen: Matrix, ask: Callable[[Any], Any], outputs: Outputs) -> None:
        told, found = np.asarray(ask(seen)), outputs(seen)
        if not np.array_equal(told, found):
            self._decides_by_probability = False
            scale = 1.0 if self._classes is not None else max(1.0, float(np.abs(told).max()))
            if told.shape != found.shape or not np.abs(told - found).max() <= TOLERANCE * scale:
                raise Unproven("the compiled copy gives other values than the estimator")
        if self._classes is None:
            return
        labels = self._labels(found)
        if labels is not None and not np.array_equal(labels, self._predictor.predict(seen)):
            raise Unproven("the compiled copy gives other labels than the estimator")

    def _compare_whole(self, probes: Matrix) -> None:
        told, found = self._asked(probes), self.few(self.plan(probes))
        if told.shape != found.shape or not np.allclose(told, found, rtol=TOLERANCE, atol=TOLERANCE):
            raise Unproven("the compiled copy gives other values than the whole model")
        labels = None if self._classes is None else self._labels(found)
        if labels is not None and not np.array_equal(labels, self._estimator.predict(self.schema.framed(probes))):
            raise Unproven("the compiled copy gives other labels than the whole model")

    def measure(self, probes: Matrix) -> None:
        """Answer each size of batch in the way that was the fastest at it: for few, for many, or the estimator."""
        if self.few is not self.many:
            self._fewest = _crossing(self.few, self.many, self.plan(probes))
        self._most = _crossing(partial(self._answer, self._method), self._asked, probes)
        if self._most < 1:
            raise Unproven("the estimator is as fast")

    def _asked(self, records: Matrix) -> Matrix:
        told: Matrix = np.asarray(getattr(self._estimator, self._method)(self.schema.framed(records)))
        return told


def made_up(schema: Schema, choose: np.random.Generator) -> Matrix:
    """Coded records with numbers of all sizes, categories, up to 4,096 of a feature, and gaps where one may be missing."""
    longest = max((len(feature.categories) for feature in schema.features if isinstance(feature, Category)), default=0)
    most = min(max(PROBES, longest), CHUNK)
    columns = []
    for feature in schema.features:
        if isinstance(feature, Category):
            column = np.resize(np.arange(len(feature.categories), dtype=float)[::-1], most)  # never without a stranger
            gap = -1.0
        else:
            column = np.concatenate(
                [np.resize(NUMBERS, most // 2), choose.normal(size=most - most // 2) * 10.0 ** choose.integers(-3, 5)]
            )
            gap = np.nan
        may = feature.accepts_missing and feature.default is None
        columns.append(np.where(choose.random(most) < 0.1 * bool(may), gap, choose.permutation(column)))
    return np.stack(columns, axis=1)


def _crossing(one: Callable[[Matrix], Any], other: Callable[[Matrix], Any], records: Matrix) -> float:
    """The number of records up to which the one is as fast as the other."""
    most = float("inf")
    for size in SIZES:
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
