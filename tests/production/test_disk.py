"""What a replica does on a disk that is full, and on one that can no longer be written to."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.metrics.scrapes import scrape
from tests.production.replicas import (
    RECORD,
    command,
    find_workers,
    kill,
    model_version,
    run,
    save_example,
    serving,
    swap_to_another,
    wait_for_workers,
)
from tests.servers import ENVIRON, Server, free_port, project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0, reason="only root may mount a disk of its own"
    ),
]

N_REQUESTS = 20
WORKERS = 2
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def disk(place: Path, *options: str) -> Iterator[Path]:
    """Mount a disk in memory for the time of a test."""
    place.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", ",".join(options), "tmpfs", place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that is on no disk of these tests."""
    place = tmp_path / "elsewhere"
    place.mkdir()
    return place


def prepare(folder: Path, elsewhere: Path) -> None:
    """Put what serves and a model into a folder, and its log elsewhere."""
    project(folder)
    (folder / "server.log").symlink_to(elsewhere / "server.log")
    save_example(folder, "build_rf_binary")


def fill(folder: Path) -> Path:
    """Fill the disk of a folder to its last byte; return the file that does."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            while write(file.fileno(), size):
                pass
    return path


def write(file: int, size: int) -> bool:
    try:
        os.write(file, bytes(size))
    except OSError:
        return False
    return True


def wait_until_all_count(folder: Path, server: Server) -> None:
    """Wait for each worker and its file of counts, which can be made now."""
    wait_for_workers(folder, WORKERS)
    cells = folder / "run" / "metrics"
    assert len(list(cells.glob("model.*.cells"))) == WORKERS
    server.post("/predict", RECORD)


def check_that_it_serves(server: Server, metrics: int) -> None:
    before = scrape(metrics).requests()["/predict", "200"]
    for _ in range(N_REQUESTS):
        assert server.post("/predict?explain=1", RECORD)[0] == 200
    after = scrape(metrics).requests()["/predict", "200"]
    assert after - before == N_REQUESTS
    assert server.get("/ready") == (200, "ready")


def replace_a_worker(folder: Path) -> None:
    """Kill a worker, and wait until another one takes requests in its place."""
    killed = kill(find_workers(folder)[:1])
    assert killed
    wait_for_workers(folder, WORKERS, killed)


def test_a_full_disk_keeps_the_model_and_refuses_another_with_a_sentence(
    tmp_path: Path, elsewhere: Path
) -> None:
    """The disk has the model, and what the replica writes; its log is a test of its own."""
    metrics = free_port()
    with disk(tmp_path / "disk", "size=12m") as folder:
        (folder / "run").mkdir()
        prepare(folder, elsewhere)
        with serving(folder, WORKERS=WORKERS, METRICS_PORT=metrics) as server:
            wait_until_all_count(folder, server)
            old = model_version(server)
            save_example(folder, "build_linear_binary")
            filling = fill(folder)
            check_that_it_serves(server, metrics)
            swapped = run(folder, "swap", server)
            assert swapped.returncode == 1
            assert swapped.stderr == (
                "swap failed: model.joblib cannot be copied: No space left on device\n"
            )
            replace_a_worker(folder)
            check_that_it_serves(server, metrics)
            assert model_version(server) == old
            filling.unlink()
            swap_to_another(folder, server)
            check_that_it_serves(server, metrics)


def test_a_full_disk_under_the_log_loses_lines_and_no_request(
    folder: Path, tmp_path: Path
) -> None:
    save_example(folder, "build_rf_binary")
    metrics = free_port()
    with disk(tmp_path / "disk", "size=256k") as logs:
        (folder / "server.log").symlink_to(logs / "server.log")
        with serving(folder, WORKERS=WORKERS, METRICS_PORT=metrics) as server:
            wait_until_all_count(folder, server)
            fill(logs)
            length = server.log.stat().st_size
            check_that_it_serves(server, metrics)
            # What has been allotted to the file is filled.
            assert server.log.stat().st_size <= length + PAGE_BYTES
            replace_a_worker(folder)
            check_that_it_serves(server, metrics)
            drop_cut_line(server.log)


def drop_cut_line(log: Path) -> None:
    """Remove what of a line has found room: its end is not there, so nothing can read it."""
    os.truncate(log, log.read_bytes().rindex(b"\n") + 1)


def test_a_full_run_folder_costs_a_start_no_speed(folder: Path) -> None:
    """Each process then judges its fast copy for itself, and serves it."""
    save_example(folder, "build_linear_binary")
    with disk(folder / "run", "size=8k"), serving(folder) as server:
        assert server.post("/predict", RECORD)[0] == 200
        log = server.log.read_text()
        assert "No space left on device" in log
        assert "the estimator answers itself" not in log


def test_a_disk_that_can_no_longer_be_written_to_keeps_everything_going(
    tmp_path: Path, elsewhere: Path
) -> None:
    """As after an error of the disk: all but the run folder, which is in memory."""
    metrics = free_port()
    (elsewhere / "run").mkdir()
    with disk(tmp_path / "disk", "size=12m") as folder:
        (folder / "run").symlink_to(elsewhere / "run")
        prepare(folder, elsewhere)
        with serving(folder, WORKERS=WORKERS, METRICS_PORT=metrics) as server:
            wait_until_all_count(folder, server)
            old = model_version(server)
            # The disk takes no other model later.
            save_example(folder, "build_linear_binary")
            mount("-o", "remount,ro", folder)
            check_that_it_serves(server, metrics)
            replace_a_worker(folder)
            check_that_it_serves(server, metrics)
            assert run(folder, "swap", server).returncode == 0
            assert model_version(server) != old
        # And it starts there.
        with serving(folder, WORKERS=WORKERS) as server:
            assert server.post("/predict", RECORD)[0] == 200


def test_a_run_folder_that_cannot_be_written_to_is_named_at_the_start(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    with disk(folder / "run", "ro"):
        ended = subprocess.run(
            command("serve"),
            check=False,
            cwd=folder,
            env=ENVIRON | {"PORT": str(free_port())},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert ended.stderr == (
        "serve failed: [Errno 30] Read-only file system: 'run/live'\n"
    )
