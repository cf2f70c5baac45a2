"""Vocabularies: texts as numbers, where every step that takes them knows a list of texts and treats all others alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import missing
from python.model.data.features import Category, Feature, String
from python.model.data.schema import Schema
from python.model.estimator import Steps, of_sklearn
from python.model.fast.transformers import parts


class Codes(dict[Any, int]):
    """The place of each text; of one that is not known, `stranger`."""

    def __init__(self, known: dict[Any, int], stranger: int) -> None:
        super().__init__(known)
        self._stranger = stranger

    def __missing__(self, text: Any) -> int:
        return self._stranger


@dataclass(frozen=True)
class Vocabulary(Category):
    """A text of which the model knows some, the `categories`, with the stranger at the end."""

    @cached_property
    def codes(self) -> Codes:
        """The place of each text; -1 for None."""
        return Codes(super().codes, len(self.categories) - 1)

    @cached_property
    def filled_codes(self) -> Codes:
        """The same, with the place of the default for None."""
        return Codes({**self.codes, None: self.codes[self.default]}, len(self.categories) - 1)

    def coded(self, column: Any) -> NDArray[np.float64]:
        """(n_records,): the place of each text."""
        return np.array(
            [self.codes[None if missing(text) else text] for text in column], dtype=float
        )

    def decoded(self, codes: NDArray[Any]) -> NDArray[np.object_]:
        """(n_records,), object, as a feature of type string has it."""
        return np.array([*self.categories, np.nan], dtype=object)[codes.astype(np.intp)]


def known(schema: Schema, steps: Steps) -> Schema:
    """The schema with vocabularies instead of texts; raises ValueError where a step takes texts without a list of them."""
    if not schema.textual:
        return schema
    return Schema(
        (_known(place, feature, steps) for place, feature in enumerate(schema.features)),
        named=schema.named,
    )


def _known(place: int, feature: Feature, steps: Steps) -> Feature:
    if not isinstance(feature, String):
        return feature
    texts = dict.fromkeys(
        text for found in _lists(place, steps) for text in found if isinstance(text, str)
    )
    stranger = "\0" * max(map(len, texts), default=0) + "?"  # longer than all that are known
    return Vocabulary(
        feature.name, feature.default, feature.accepts_missing, feature.entry, (*texts, stranger)
    )


def _lists(place: int, steps: Steps) -> Iterator[Sequence[Any]]:
    """What each step that takes the feature knows of it: an encoder, with nothing but an imputer in front of it."""
    first = steps.transformers[0]
    for name, inner, _ in first.transformers_:
        taken = list(first._transformer_to_input_indices[name])
        if place in taken and inner != "drop":
            imputer, encoder = ([None, *parts(inner)])[-2:]
            known_steps = all(of_sklearn(part) for part in parts(inner))
            if (
                not known_steps
                or not hasattr(encoder, "categories_")
                or len(parts(inner)) > 1 + _keeps_places(imputer)
            ):
                raise ValueError("a step takes any text")
            yield [
                *encoder.categories_[taken.index(place)],
                getattr(imputer, "missing_values", None),
            ]


def _keeps_places(step: Any) -> bool:
    """Whether it is an imputer that neither drops a column nor adds one."""
    return (
        type(step).__name__ == "SimpleImputer"
        and step.indicator_ is None
        and not any(map(missing, step.statistics_))
    )
