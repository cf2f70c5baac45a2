"""Vocabularies: codes for texts, where the steps that take them know a list of texts.

Such a step treats all other texts alike, so that one code stands for all of them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from python.model.data.dtypes import make_column
from python.model.data.features import CodedFeature, Feature, Value
from python.model.data.kinds import MISSING_POSITION, Category, String
from python.model.data.schema import Schema
from python.model.estimator import Steps
from python.model.fast.copy import Unproven
from python.model.fast.encoders import known_values
from python.model.fast.transformers import is_column_transformer
from python.model.types import Columns, Matrix


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

    usual_dtype = String.usual_dtype

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
            if isinstance(text, str):
                codes.append(self.positions[text])
            else:
                codes.append(MISSING_POSITION)
        return np.array(codes, dtype=float)

    def decode(self, codes: Matrix) -> Any:
        """Return the texts, (n_records,), as a feature of type string has them."""
        texts = [*self.categories, None]
        values = [texts[int(code)] for code in codes.tolist()]
        return make_column(self.cells(values), self.column_dtype)


def with_vocabularies(schema: Schema, steps: Steps) -> Schema:
    """Return the schema with a vocabulary for each text.

    Example: of the texts "blue" and "red" an encoder makes columns. With the stranger, the
    codes of "red", "blue", "violet" and a missing value are 1, 0, 2 and -1.
    Raises Unproven where there are dates, or texts that reach anything but a ColumnTransformer,
    and ValueError where one of its steps has no list of the texts that it knows.
    """
    if schema.has_codes:
        return schema
    features: list[Feature] = []
    for place, feature in enumerate(schema.features):
        if isinstance(feature, String):
            texts = _known_texts(steps, place)
            features.append(_vocabulary(feature, texts))
        elif not isinstance(feature, CodedFeature):
            raise Unproven("dates are left to the estimator")
        else:
            features.append(feature)
    return Schema(features, named=schema.named)


def _known_texts(steps: Steps, place: int) -> list[str]:
    """Return the texts that the steps of a ColumnTransformer know of the feature at `place`.

    Raises Unproven where the first step is none, and ValueError where a step takes any text.
    """
    first = next(iter(steps.transformers), None)
    if first is None or not is_column_transformer(first):
        raise Unproven("text is left to the estimator")
    texts: dict[str, None] = {}  # each once, in their order
    for name, step, _ in first.transformers_:
        places = list(first._transformer_to_input_indices[name])
        if step == "drop" or place not in places:
            continue
        column = places.index(place)
        for value in known_values(step, column):
            if isinstance(value, str):
                texts[value] = None
    return list(texts)


def _vocabulary(feature: String, texts: list[str]) -> Vocabulary:
    longest = max(map(len, texts), default=0)
    # It is longer than all known texts, and so none of them.
    stranger = "\0" * longest + "?"
    return Vocabulary(
        name=feature.name,
        default=feature.default,
        accepts_missing=feature.accepts_missing,
        dtype=feature.dtype,
        entry=feature.entry,
        categories=(*texts, stranger),
        missing_value=feature.missing_value,
    )
