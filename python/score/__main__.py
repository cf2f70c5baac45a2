"""The command that scores a file: `python -m python.score model.joblib input.csv output.csv`."""

import argparse
import csv
import signal
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from python.model import FAMILIES
from python.score.jobs import PARQUET, Job, JobError, check_part, settings_for
from python.score.output import check_output, check_place, open_output
from python.score.progress import Tally, shown
from python.score.source import Source, find_format, open_source
from python.score.workers import Workers, started
from python.settings import Settings, SettingsError

INTERRUPTED = 128 + signal.SIGINT


OPTIONS: dict[str, dict[str, Any]] = {
    "--proba": {
        "action": "store_true",
        "help": "add the probability of each class",
    },
    "--explain": {"action": "store_true", "help": "add SHAP values"},
    "--samples": {"type": Path, "help": "a file of rows to explain against"},
    "--keep": {
        "default": "",
        "metavar": "NAMES",
        "help": "columns of the input that the output has as well, id,name for example, or all",
    },
    "--on-error": {
        "choices": ("stop", "skip", "null"),
        "default": "stop",
        "help": "what to do with a row that does not fit; null keeps it without a result",
    },
    "--decimal": {
        "choices": (".", ","),
        "default": ".",
        "help": "the sign before the decimals of a number",
    },
    "--dask": {
        "metavar": "ADDRESS",
        "help": "score folders of .parquet files by a Dask scheduler, tcp://host:8786, or local",
    },
    "--force": {
        "action": "store_true",
        "help": "replace an output that exists",
    },
}


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m python.score",
        description="Predict the rows of a file, with the checks of the service.",
    )
    parser.add_argument("model", type=Path, help="the model file")
    kinds = "a .csv or .parquet file; - is CSV on a standard stream"
    parser.add_argument("input", help=kinds)
    parser.add_argument("output", help=kinds)
    for name, options in OPTIONS.items():
        parser.add_argument(name, **options)
    return parser.parse_args()


def _make_job(arguments: argparse.Namespace, header: Any, writes: str) -> Job:
    settings = Settings.read(FAMILIES)
    return Job(
        settings=settings_for(settings, arguments.model),
        header=header,
        decimal=arguments.decimal,
        proba=arguments.proba,
        explain=arguments.explain or arguments.samples is not None,
        samples=arguments.samples,
        keep=_read_names(arguments.keep),
        on_error=arguments.on_error,
        writes=writes,
    )


def _read_names(text: str) -> tuple[str, ...] | None:
    """Return the names in a list with commas, as CSV has them; None for all."""
    if text == "all":
        return None
    (names,) = csv.reader([text]) if text else ([],)
    return tuple(names)


def score(arguments: argparse.Namespace) -> None:
    """Write the output of the arguments; raise JobError or OSError where that cannot be done."""
    if arguments.dask:
        _score_folder(arguments)
    else:
        _score_file(arguments)


def _score_folder(arguments: argparse.Namespace) -> None:
    cluster = _import_cluster()
    output = Path(arguments.output)
    check_place(output, force=arguments.force)
    files = cluster.list_files(Path(arguments.input))
    header = cluster.find_header(files)
    job = cluster.make_absolute(_make_job(arguments, header, PARQUET))
    count = job.settings.workers or count_processors()
    with cluster.connected(arguments.dask, count) as client:
        plan, tally = cluster.score_folder(client, job, files, output)
    for remark in plan.remarks:
        _say(remark)
    _say(tally.summary())


def _import_cluster() -> ModuleType:
    try:
        from python.score import cluster
    except ImportError as error:
        raise JobError(
            "--dask needs Dask and pyarrow: pip install -r requirements-score.txt"
        ) from error
    return cluster


def _score_file(arguments: argparse.Namespace) -> None:
    check_output(arguments.output, force=arguments.force)
    with open_source(arguments.input) as source:
        writes = find_format(arguments.output)
        job = _make_job(arguments, source.header, writes)
        count = job.settings.workers or count_processors()
        with started(job, count) as workers:
            tally = _score_source(workers, source, arguments)
    _say(tally.summary())


def _score_source(
    workers: Workers, source: Source, arguments: argparse.Namespace
) -> Tally:
    """Write the output, part by part; return what was counted. Errors are those of `score`."""
    tally = Tally(arguments.on_error)
    plan = workers.plan()
    for remark in plan.remarks:
        _say(remark)
    chunks = source.chunks(plan.separator)
    with shown(source.size) as bar, open_output(arguments.output, plan) as out:
        for chunk, part in workers.score(chunks):
            check_part(part, plan)
            tally.add(part)
            out.write(part.content)
            bar.advance(source.measure(chunk), tally.n_rows)
    return tally


def count_processors() -> int:
    """Return how many processors this process may use, within the limits of a container."""
    import joblib  # it brings NumPy

    return int(joblib.cpu_count())


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Score the file; return 0 if that was done, and otherwise say why not in a sentence."""
    arguments = _read_arguments()
    signal.signal(signal.SIGTERM, _end)
    try:
        score(arguments)
    except (JobError, SettingsError) as error:
        _say(str(error))
        return 1
    except OSError as error:
        name = error.filename or arguments.output
        _say(f"{name}: {error.strerror or error}")
        return 1
    except BrokenProcessPool:
        _say(
            "a worker has died, for want of memory or because the model file ended it; "
            "nothing is written"
        )
        return 1
    except KeyboardInterrupt:
        _say("interrupted; nothing is written")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
