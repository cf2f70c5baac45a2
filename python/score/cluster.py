"""Clusters: folders of Parquet files, scored by Dask's workers where the data is.

Only this module imports Dask, which is optional. Each file becomes one of the same name. A file
whose worker dies is scored anew by another, under a name of its own until it is complete: so the
output has each row once.
"""

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import getpid
from pathlib import Path
from typing import Any

from dask.distributed import Client, LocalCluster, as_completed

from python.score.jobs import Job, JobError, Part, Plan, check_part
from python.score.parquet import ParquetWriter, read_batches, read_schema
from python.score.progress import Tally, shown
from python.score.workers import make_plan, score_chunk

LOCAL = "local"
MAX_LISTED_FAULTS = 20


def list_files(folder: Path) -> list[Path]:
    """Return the Parquet files in a folder; raise JobError where there is none."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise JobError(f"{folder} is no folder with .parquet files")
    return files


def find_header(files: Sequence[Path]) -> Any:
    """Return the schema of all files; raise JobError where one has another."""
    header = read_schema(files[0])
    for file in files[1:]:
        if not read_schema(file).equals(header):
            raise JobError(f"{file} has other columns than {files[0]}")
    return header


@contextmanager
def connected(address: str, count: int) -> Iterator[Client]:
    """Yield a client of the scheduler at the address; of so many own workers where it is `local`.

    Raises JobError where no scheduler answers.
    """
    if address != LOCAL:
        try:
            client = Client(address)
        except (OSError, ValueError) as error:
            raise JobError(f"--dask {address}: {error}") from error
        with client:
            yield client
        return
    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        dashboard_address=None,
        host="127.0.0.1",
    )
    with cluster, Client(cluster) as client:
        yield client


def score_folder(
    client: Client, job: Job, files: Sequence[Path], output: Path
) -> tuple[Plan, Tally]:
    """Write a folder of the same files with the results; return what was counted.

    The folder is there when all of them are. Raises JobError and OSError, and then leaves what was
    there before.
    """
    plan: Plan = client.submit(make_plan, job, pure=False).result()
    tally = Tally(job.on_error)
    staging = output.absolute().with_name(f".{output.name}.{getpid()}.part")
    staging.mkdir()
    try:
        with shown(len(files)) as bar:
            for part in _score_files(client, job, files, staging):
                check_part(part, plan)
                tally.add(part)
                bar.advance(1, tally.n_rows)
        _move(staging, output)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return plan, tally


def _score_files(
    client: Client, job: Job, files: Sequence[Path], staging: Path
) -> Iterator[Part]:
    futures = client.map(
        score_file,
        [file.absolute() for file in files],
        job=job,
        staging=staging,
        pure=False,
    )
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        client.cancel(futures)


def score_file(file: Path, job: Job, staging: Path) -> Part:
    """Score a file on a worker, and return what was counted; the content is in the folder."""
    plan = make_plan(job)
    beside = staging / f".{uuid.uuid4().hex}"
    writer = ParquetWriter(beside, plan.empty)
    total = Part(plan.names, None, 0, 0, [])
    for chunk in read_batches(file):
        part = score_chunk(job, chunk)
        check_part(part, plan)
        total = _add(total, part, file.name)
        if part.n_faulty and job.on_error == "stop":
            return total
        writer.write(part.content)
    writer.close()
    beside.replace(staging / file.name)
    return total


def _add(total: Part, part: Part, name: str) -> Part:
    """Return both together, whose faults say in which file they are."""
    faults = [*total.faults]
    for fault in part.faults:
        faults.append(f"{name}, {fault}")
    n_rows = total.n_rows + part.n_rows
    n_faulty = total.n_faulty + part.n_faulty
    first_faults = faults[:MAX_LISTED_FAULTS]
    return Part(total.names, None, n_rows, n_faulty, first_faults)


def _move(staging: Path, output: Path) -> None:
    """Put the folder in its place, without what workers that have died left in it."""
    for path in staging.glob(".*"):
        path.unlink()
    if not output.exists():
        staging.rename(output)
        return
    old = staging.with_suffix(".old")
    output.rename(old)
    staging.rename(output)
    shutil.rmtree(old)


def make_absolute(job: Job) -> Job:
    """Return the job with paths that are the same in every process."""
    samples = None if job.samples is None else job.samples.absolute()
    return replace(job, samples=samples)
