"""Vocabularies: codes for texts, where the steps that take them know a list of texts.

Such a step treats all other texts alike, so that one code stands for all of them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import is_missing
from python.model.data.features import (
    MISSING_POSITION,
    Category,
    Feature,
    String,
    Value,
)
from python.model.data.schema import Schema
from python.model.estimator import Steps
from python.model.fast.encoders import known_values
from python.model.types import Columns, Matrix, Transformer


class Positions(dict[Value, int]):
    """The position of each known text; any other text has the position of the stranger."""

    def __init__(self, positions: dict[Value, int], stranger: int) -> None:
        super().__init__(positions)
        self._stranger = stranger

    def __missing__(self, text: Value) -> int:
        return self._stranger


@dataclass(frozen=True)
class Vocabulary(Category):
    """A text of which the model knows some.

    These are its `categories`. The last of them is the stranger, which stands for any other text.
    """

    @cached_property
    def positions(self) -> Positions:
        """The position of each text; of None, that of the default or of a missing value."""
        numbered = {
            text: number for number, text in enumerate(self.categories)
        }
        stranger = len(self.categories) - 1
        positions = Positions(numbered, stranger)
        if self.default is None:
            positions[None] = MISSING_POSITION
        else:
            positions[None] = positions[self.default]
        return positions

    def encode(self, column: Columns) -> Matrix:
        """Return the position of each text in such a column, (n_records,)."""
        codes = []
        for text in column:
            if is_missing(text):
                codes.append(MISSING_POSITION)
            else:
                codes.append(self.positions[text])
        return np.array(codes, dtype=float)

    def decode(self, positions: Matrix) -> NDArray[np.object_]:
        """Return the texts, (n_records,), as a feature of type string has them."""
        texts = np.array([*self.categories, np.nan], dtype=object)
        return texts[positions.astype(np.intp)]


def with_vocabularies(schema: Schema, steps: Steps) -> Schema:
    """Return the schema with a vocabulary for each text.

    Example: of the texts "blue" and "red" an encoder makes columns. With the stranger, the
    codes of "red", "blue", "violet" and a missing value are 1, 0, 2 and -1.
    Raises exceptions of any kind where a step has no list of the texts that it knows.
    """
    if not schema.has_texts:
        return schema
    features: list[Feature] = []
    for place, feature in enumerate(schema.features):
        if isinstance(feature, String):
            texts = _known_texts(steps.transformers[0], place)
            features.append(_vocabulary(feature, texts))
        else:
            features.append(feature)
    return Schema(features, named=schema.named)


def _known_texts(transformer: Transformer, place: int) -> list[str]:
    """Return the texts that the steps of a ColumnTransformer know of the feature at `place`."""
    texts: dict[str, None] = {}  # each once, in their order
    for name, step, _ in transformer.transformers_:
        places = list(transformer._transformer_to_input_indices[name])
        if step == "drop" or place not in places:
            continue
        column = places.index(place)
        for value in known_values(step, column):
            if isinstance(value, str):
                texts[value] = None
    return list(texts)


def _vocabulary(feature: Feature, texts: list[str]) -> Vocabulary:
    longest = max(map(len, texts), default=0)
    # It is longer than all known texts, and so none of them.
    stranger = "\0" * longest + "?"
    return Vocabulary(
        feature.name,
        feature.default,
        feature.accepts_missing,
        feature.entry,
        (*texts, stranger),
    )
