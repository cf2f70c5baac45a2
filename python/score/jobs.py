"""Jobs: what is to be scored and how, and what becomes of a chunk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from python.settings import Settings

OnError: TypeAlias = Literal["stop", "skip", "null"]

Chunk: TypeAlias = Any
"""A part of the input: bytes of CSV, or a record batch of pyarrow."""

Content: TypeAlias = Any
"""A part of the output: bytes of CSV, or a record batch of pyarrow."""

CSV = "csv"
PARQUET = "parquet"


class JobError(Exception):
    """The job cannot be done; the text is one sentence, or several lines, for a person."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know; it is a key, since a worker keeps one scorer for each.

    `header` is the first line of CSV, or the schema of Parquet.
    `keep` names the columns of the input that the output has as well, all where it is None.
    `writes` is the format of the output.
    """

    settings: Settings
    header: Any
    decimal: str = "."
    proba: bool = False
    explain: bool = False
    samples: Path | None = None
    keep: tuple[str, ...] | None = ()
    on_error: OnError = "stop"
    writes: str = CSV


class Part(NamedTuple):
    """What became of a chunk: a part of the output, and what did not fit.

    `names` are those of its columns.
    `faults` are the first ones, a line each. Of `n_faulty` rows there is no result.
    """

    names: list[str]
    content: Content
    n_rows: int
    n_faulty: int
    faults: list[str]


class Plan(NamedTuple):
    """What the model will make of the input: an empty part of the output and some remarks."""

    separator: str
    names: list[str]
    empty: Content
    remarks: list[str]


def check_part(part: Part, plan: Plan) -> None:
    """Raise JobError where a part has other columns than the output.

    Each process measures how long an explanation takes: a model at the limit may be explained
    exactly by one, and by sampled orders, with standard errors, by another.
    """
    if part.names != plan.names:
        raise JobError(
            "one process has time to explain the rows exactly, and another one has not: "
            "set a larger MAX_EXPLAIN_SECONDS"
        )


def settings_for(settings: Settings, model: Path) -> Settings:
    """Return the settings with another model file."""
    path = model.absolute()
    return msgspec.structs.replace(
        settings, model_folder=str(path.parent), model_name=path.name
    )
