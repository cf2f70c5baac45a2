"""Workers: processes with a model each, which score chunks while others are read and written.

They are forked from a server that has imported what every model needs, and load the model after the
fork, as under uWSGI: libraries hang that have started threads before.
"""

import gc
import logging
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from python.errors import ServiceError
from python.score.jobs import Chunk, Job, JobError, Part, Plan
from python.settings import PROJECT

PRELOADED = "python.score.preload"
# So many chunks wait for each worker, so that none has to wait for the reader.
CHUNKS_FOR_EACH = 2
STANDARD_OUTPUT = 1
STANDARD_ERROR = 2


class Workers:
    """Processes that score chunks of one job."""

    def __init__(self, job: Job, count: int, folder: str) -> None:
        """Start so many; one of them proves for all, by way of the folder."""
        self._job = job
        self._count = count
        # The processes share the processors, as under uWSGI.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ["SERVICE_VERDICTS"] = folder
        _let_import()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([PRELOADED])
        self._pool = ProcessPoolExecutor(count, context, initializer=_prepare)

    def plan(self) -> Plan:
        """Return what the output will be; raise JobError where there can be none.

        Each process loads the model for it, which takes seconds, at the same time as the others.
        """
        plans = []
        for _ in range(self._count):
            plans.append(self._pool.submit(make_plan, self._job))
        return plans[0].result()

    def score(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Part]]:
        """Yield each chunk with its part of the output, in their order."""
        waiting: deque[tuple[Chunk, Future[Part]]] = deque()
        for chunk in chunks:
            part = self._pool.submit(score_chunk, self._job, chunk)
            waiting.append((chunk, part))
            if len(waiting) >= self._count * CHUNKS_FOR_EACH:
                first, part = waiting.popleft()
                yield first, part.result()
        for chunk, part in waiting:
            yield chunk, part.result()

    def end(self) -> None:
        """End the processes at once, whatever they are doing, and the thread that leads them."""
        for process in multiprocessing.active_children():
            process.kill()
        self._pool.shutdown()


@contextmanager
def started(job: Job, count: int) -> Iterator[Workers]:
    """Yield workers, which have ended when the block has ended."""
    with TemporaryDirectory(prefix="scoring-") as folder:
        workers = Workers(job, count, folder)
        try:
            yield workers
        finally:
            workers.end()


def _let_import() -> None:
    """Let the server that the workers are forked from find this project, wherever it is started."""
    paths = [str(PROJECT)]
    if os.environ.get("PYTHONPATH"):
        paths.append(os.environ["PYTHONPATH"])
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def _prepare() -> None:
    """Leave interruptions to the process that reads, and the output to the one that writes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What the code of a model prints does not belong into the output.
    os.dup2(STANDARD_ERROR, STANDARD_OUTPUT)
    # A chunk is a million objects without cycles: to look for these takes half of the time.
    gc.disable()
    # Each process would log the same.
    logging.disable(logging.WARNING)


def make_plan(job: Job) -> Plan:
    """Return what a worker's model will make of the input; raise JobError."""
    from python.score.scorer import scorer_of  # it brings the model

    try:
        return scorer_of(job).plan
    except ServiceError as error:
        raise JobError(error.detail) from None


def score_chunk(job: Job, chunk: Chunk) -> Part:
    """Return the part of the output that a worker's model makes of a chunk; raise JobError."""
    from python.score.scorer import scorer_of  # it brings the model

    try:
        return scorer_of(job).score(chunk)
    except ServiceError as error:
        raise JobError(error.detail) from None
    finally:
        gc.collect(generation=1)
