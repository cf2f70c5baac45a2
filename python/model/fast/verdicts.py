"""Verdicts on a copy: what its proof shows, which other processes need not make again."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Self

from python.model.fast.copy import Copy, Unproven

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What a proof shows: the fields of a proven copy, or why there is none."""

    takes_missing: bool = True
    exact_labels: bool = False
    few_limit: float = inf
    limit: float = inf
    objection: str = ""
    lasts: bool = True

    @classmethod
    def of(cls, prove: Callable[[], Copy]) -> Self:
        """Return the verdict of a proof, which returns the copy or raises Unproven."""
        start = time.process_time()
        try:
            copy = prove()
        except Unproven as error:
            return cls(objection=str(error))
        finally:
            seconds = time.process_time() - start
            log.info(
                "the copy was judged in %.1f seconds of a processor", seconds
            )
        return cls(
            copy.takes_missing, copy.exact_labels, copy.few_limit, copy.limit
        )

    def apply(self, copy: Copy) -> Copy:
        """Return the copy as it was proven, where it is not proven yet; raise Unproven."""
        if self.objection:
            raise Unproven(self.objection)
        return replace(
            copy,
            takes_missing=self.takes_missing,
            exact_labels=self.exact_labels,
            few_limit=self.few_limit,
            limit=self.limit,
        )
