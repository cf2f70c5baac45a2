"""Transformers: what a pipeline does before its last step, as a few operations on a matrix.

Example: a pipeline of a ColumnTransformer, which scales two numbers and encodes a category, and of
a PolynomialFeatures becomes a chain of two transforms. The first fills a matrix block by block:
codes [[40, 3e4, 1]] -> scaled [[0.1, -0.3]] and encoded [[0, 1]] -> [[0.1, -0.3, 0, 1]].
The second calls the step itself, since there is no arithmetic for it.

What is done to numbers is in `arithmetic`, what is made of categories is in `encoders`.
"""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from python.model.data.columns import to_dense
from python.model.data.schema import Schema
from python.model.estimator import is_sklearns_own
from python.model.fast.arithmetic import ARITHMETIC, unchanged
from python.model.fast.copy import Transform
from python.model.fast.encoders import (
    Places,
    compile_encoder,
    slice_if_adjacent,
)
from python.model.types import Matrix, Transformer

MATRIX_LIMIT_NUMBERS = 2**22  # 32 MiB


def compile_transformers(
    transformers: Sequence[Transformer],
    schema: Schema,
) -> Transform:
    """Return one transform for all steps: from codes to the matrix that the predictor takes.

    It may be wrong until it is proven, and raises exceptions of any kind for values that a step
    refuses. Raises exceptions of any kind for steps that cannot be compiled.
    """
    if transformers and is_column_transformer(transformers[0]):
        first, *others = transformers
        columns = compile_columns(first, schema)
        return chain([columns, *map(compile_step, others)])
    if not schema.is_numeric:
        raise ValueError(
            "a feature that is not a number meets a step that takes all of them"
        )
    return chain([compile_step(step) for step in transformers])


def is_column_transformer(step: Transformer) -> bool:
    """Return whether it is scikit-learn's own ColumnTransformer."""
    return hasattr(step, "output_indices_") and is_sklearns_own(step)


def compile_step(step: Transformer) -> Transform:
    """Return a transform for a step that takes numbers: its arithmetic, or else its own method."""
    if step is None or step == "passthrough":
        return unchanged
    if not is_sklearns_own(step):
        return call_step(step)
    name = type(step).__name__
    if name == "Pipeline":
        return chain([compile_step(inner) for _, inner in step.steps])
    if name not in ARITHMETIC:
        return call_step(step)
    return ARITHMETIC[name](step) or call_step(step)


def call_step(step: Transformer) -> Transform:
    """Return a transform that calls the step's own `transform`."""
    bare = without_names(step)

    def call(matrix: Matrix) -> Matrix:
        # A step may change the matrix that it is handed.
        return np.asarray(to_dense(bare.transform(matrix.copy())), dtype=float)

    return call


def without_names(step: Transformer) -> Transformer:
    """Return a copy that was fitted without names, and so takes a matrix without a warning."""
    bare = copy.copy(step)
    vars(bare).pop("feature_names_in_", None)
    return bare


def chain(transforms: Sequence[Transform]) -> Transform:
    """Return a transform that does one after the other.

    It raises ValueError for an infinite value between two of them, as scikit-learn's steps do.
    """
    if not transforms:
        return unchanged
    first, *others = transforms
    if not others:
        return first

    def transform_in_turn(matrix: Matrix) -> Matrix:
        matrix = first(matrix)
        for transform in others:
            # The sum of the squares shows at once what holds for nearly all records.
            if not np.vdot(matrix, matrix) < np.inf and np.isinf(matrix).any():
                raise ValueError("a step refuses an infinite value")
            matrix = transform(matrix)
        return matrix

    return transform_in_turn


def compile_columns(transformer: Transformer, schema: Schema) -> Transform:
    """Return a transform that fills a matrix block by block, as a ColumnTransformer does.

    Raises ValueError where weights multiply the blocks, or the tables would be too large.
    """
    width = max(
        columns.stop for columns in transformer.output_indices_.values()
    )
    _check_tables(schema, width)
    if transformer.transformer_weights:
        raise ValueError("weights of transformers")
    blocks = _compile_blocks(transformer, schema)

    def fill(codes: Matrix) -> Matrix:
        matrix = np.empty((len(codes), width))
        for places, columns, transform in blocks:
            matrix[:, columns] = transform(codes[:, places])
        return matrix

    return fill


def _check_tables(schema: Schema, width: int) -> None:
    """Raise ValueError if the tables of all categories would be larger than a matrix may be."""
    rows = 0
    for feature in schema.categories.values():
        # The last row is for a missing value.
        rows += len(feature.categories) + 1
    if rows * width > MATRIX_LIMIT_NUMBERS:
        raise ValueError(
            f"{rows} categories that become {width} columns are too many to look up"
        )


class Block(NamedTuple):
    """Some columns of the matrix, and what they are made of: the features at `places`."""

    places: slice | Places
    columns: slice
    transform: Transform


def _compile_blocks(transformer: Transformer, schema: Schema) -> list[Block]:
    blocks = []
    for name, step, _ in transformer.transformers_:
        places = transformer._transformer_to_input_indices[name]
        # A step that gives no columns is needed too: it may refuse a value.
        if step == "drop" or not len(places):
            continue
        columns = transformer.output_indices_[name]
        transform = _compile_block(step, places, schema)
        blocks.append(Block(slice_if_adjacent(places), columns, transform))
    return blocks


def _compile_block(
    step: Transformer,
    places: Places,
    schema: Schema,
) -> Transform:
    if all(schema.features[place].is_number for place in places):
        return compile_step(step)
    return compile_encoder(step, places, schema)
