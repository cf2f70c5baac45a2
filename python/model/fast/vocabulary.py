"""Vocabularies: texts as numbers, where every step that takes them knows a list of texts and treats all others alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import is_missing
from python.model.data.features import MISSING_POSITION, Category, Feature, String
from python.model.data.schema import Schema
from python.model.estimator import Steps, is_sklearns_own
from python.model.fast.transformers import parts


class Positions(dict[Any, int]):
    """The position of each text; of one that is not known, that of the `stranger`."""

    def __init__(self, positions: dict[Any, int], stranger: int) -> None:
        super().__init__(positions)
        self._stranger = stranger

    def __missing__(self, text: Any) -> int:
        return self._stranger


@dataclass(frozen=True)
class Vocabulary(Category):
    """A text of which the model knows some: the `categories`, the last of which is a stranger."""

    @cached_property
    def positions(self) -> Positions:
        """The position of each text; of None, that of the default or of a missing value."""
        numbers = {text: number for number, text in enumerate(self.categories)}
        positions = Positions(numbers, stranger=len(self.categories) - 1)
        is_missing_code = self.default is None
        positions[None] = (
            MISSING_POSITION if is_missing_code else positions[self.default]
        )
        return positions

    def encode(self, column: Any) -> NDArray[np.float64]:
        """Return the position of each text in such a column, (n_records,)."""
        positions = []
        for text in column:
            positions.append(
                MISSING_POSITION if is_missing(text) else self.positions[text]
            )
        return np.array(positions, dtype=float)

    def decode(self, positions: NDArray[Any]) -> NDArray[np.object_]:
        """Return the texts, (n_records,), as a feature of type string has them."""
        texts = np.array([*self.categories, np.nan], dtype=object)
        return texts[positions.astype(np.intp)]


def with_vocabularies(schema: Schema, steps: Steps) -> Schema:
    """The schema with vocabularies instead of texts; raises ValueError where a step takes texts without a list of them."""
    if not schema.has_texts:
        return schema
    return Schema(
        (
            _known(place, feature, steps)
            for place, feature in enumerate(schema.features)
        ),
        named=schema.named,
    )


def _known(place: int, feature: Feature, steps: Steps) -> Feature:
    if not isinstance(feature, String):
        return feature
    texts = dict.fromkeys(
        text
        for found in _lists(place, steps)
        for text in found
        if isinstance(text, str)
    )
    stranger = (
        "\0" * max(map(len, texts), default=0) + "?"
    )  # longer than all that are known
    return Vocabulary(
        feature.name,
        feature.default,
        feature.accepts_missing,
        feature.entry,
        (*texts, stranger),
    )


def _lists(place: int, steps: Steps) -> Iterator[Sequence[Any]]:
    """What each step that takes the feature knows of it: an encoder, with nothing but an imputer in front of it."""
    first = steps.transformers[0]
    for name, inner, _ in first.transformers_:
        taken = list(first._transformer_to_input_indices[name])
        if place in taken and inner != "drop":
            imputer, encoder = ([None, *parts(inner)])[-2:]
            known_steps = all(is_sklearns_own(part) for part in parts(inner))
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
        and not any(map(is_missing, step.statistics_))
    )
