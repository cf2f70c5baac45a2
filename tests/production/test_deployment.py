"""`make swap`, `make rollback` and `make models`, for uWSGI without containers."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import joblib
import pytest

from tests.models import build
from tests.production.replicas import RECORD
from tests.servers import ENVIRON, Server, fetch_headers, started

pytestmark = pytest.mark.slow

SERVE = [sys.executable, "-m", "python.production.deployment", "serve"]
RUN = {"RUN_FOLDER": "run"}
EXAMPLES = ("build_rf_binary", "build_linear_binary", "build_rf_multiclass")


def save(folder: Path, name: str, file: str) -> str:
    """Save an example's artifact, and return its SHA-256."""
    joblib.dump(build(name).content, folder / file)
    return digest_of(folder / file)


def digest_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def operate(
    folder: Path, server: Server, *words: str, **environ: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "python.production.deployment", *words],
        cwd=folder,
        env=ENVIRON | RUN | {"PORT": str(server.port)} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextmanager
def serving(folder: Path, **environ: str) -> Iterator[Server]:
    with started(SERVE, folder, WORKERS=2, **RUN, **environ) as server:
        server.wait()
        yield server


def version(server: Server) -> str:
    url = f"http://127.0.0.1:{server.port}/health"
    return str(fetch_headers(url)["X-Model-Version"])


def versions(server: Server) -> set[str]:
    return {version(server) for _ in range(10)}


@contextmanager
def load(server: Server) -> Iterator[Counter[int]]:
    """Request predictions all the time, and count their statuses."""
    statuses: Counter[int] = Counter()
    ended = threading.Event()

    def request() -> None:
        while not ended.is_set():
            try:
                statuses[server.post("/predict", RECORD)[0]] += 1
            except OSError:
                statuses[0] += 1

    client = threading.Thread(target=request)
    client.start()
    try:
        yield statuses
    finally:
        ended.set()
        client.join()


def test_swap_rollback_refusal_and_restart_under_load(folder: Path) -> None:
    first = save(folder, EXAMPLES[0], "model.joblib")
    second = save(folder, EXAMPLES[1], "second.joblib")
    third = save(folder, EXAMPLES[2], "third.joblib")
    (folder / "bad.joblib").write_bytes(b"not a pickle")
    with serving(folder) as server, load(server) as statuses:
        assert versions(server) == {first[:12]}
        swapped = operate(folder, server, "swap", "second.joblib")
        assert swapped.returncode == 0, swapped.stderr
        assert swapped.stdout == f"{second} is served\n"
        assert versions(server) == {second[:12]}
        assert operate(folder, server, "swap", "third.joblib").returncode == 0
        refused = operate(folder, server, "swap", "bad.joblib")
        assert refused.returncode == 1
        reason, sentence = refused.stderr.splitlines()[-2:]
        assert "is truncated, damaged or something else" in reason
        assert sentence == (
            "swap failed: bad.joblib was refused; "
            f"{third[:12]} is served as before"
        )
        assert versions(server) == {third[:12]}
        assert digest_of(folder / "models" / "model.joblib") == third
        assert operate(folder, server, "rollback").returncode == 0
        assert versions(server) == {second[:12]}
        listed = operate(folder, server, "models").stdout.splitlines()
        assert {line[:64] for line in listed} == {first, second, third}
        (line,) = [line for line in listed if line.startswith(second)]
        assert line.endswith("served by uWSGI  (a restart takes it)")
        assert operate(folder, server, "rollback").returncode == 0
        assert versions(server) == {first[:12]}
        last = operate(folder, server, "rollback")
        assert last.returncode == 1
        assert "no model was served before this one" in last.stderr
    assert set(statuses) == {200}
    assert statuses[200] > 20
    with serving(folder) as server:
        assert versions(server) == {first[:12]}


def test_a_rollback_after_a_restart_by_hand(folder: Path) -> None:
    """The one before is what was served last, not what a swap had put there."""
    first = save(folder, EXAMPLES[0], "model.joblib")
    save(folder, EXAMPLES[0], "first.joblib")
    save(folder, EXAMPLES[1], "second.joblib")
    third = save(folder, EXAMPLES[2], "third.joblib")
    with serving(folder) as server:
        assert operate(folder, server, "swap", "second.joblib").returncode == 0
    os.utime(folder / "first.joblib", (1, 1))
    (folder / "first.joblib").rename(folder / "model.joblib")
    with serving(folder) as server:
        assert versions(server) == {first[:12]}
        assert operate(folder, server, "swap", "third.joblib").returncode == 0
        assert versions(server) == {third[:12]}
        assert operate(folder, server, "rollback").returncode == 0
        assert versions(server) == {first[:12]}


class Leaving:
    """Ends the process that loads it at once, as if all were well."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (0,)


def test_a_file_that_ends_the_process_that_loads_it_is_refused(
    folder: Path,
) -> None:
    first = save(folder, EXAMPLES[0], "model.joblib")
    joblib.dump(Leaving(), folder / "leaving.joblib")
    with serving(folder) as server:
        refused = operate(folder, server, "swap", "leaving.joblib")
        assert refused.returncode == 1
        assert "leaving.joblib was refused" in refused.stderr
        assert versions(server) == {first[:12]}
    assert digest_of(folder / "models" / "model.joblib") == first


def test_a_refused_file_that_is_in_its_place_does_not_stay_there(
    folder: Path,
) -> None:
    first = save(folder, EXAMPLES[0], "model.joblib")
    with serving(folder) as server:
        (folder / "model.joblib").write_bytes(b"not a pickle")
        refused = operate(folder, server, "swap")
        assert refused.returncode == 1
        assert digest_of(folder / "models" / "model.joblib") == first
        assert versions(server) == {first[:12]}
        # The file in its place may be good.
        second = save(folder, EXAMPLES[1], "model.joblib")
        assert operate(folder, server, "swap").returncode == 0
        assert versions(server) == {second[:12]}
        assert operate(folder, server, "rollback").returncode == 0
        assert versions(server) == {first[:12]}


def test_with_a_digest_in_the_settings_a_swap_needs_the_new_one(
    folder: Path,
) -> None:
    first = save(folder, EXAMPLES[0], "model.joblib")
    second = save(folder, EXAMPLES[1], "second.joblib")
    pinned = {"MODEL_SHA256": first}
    with serving(folder, **pinned) as server:
        refused = operate(folder, server, "swap", "second.joblib", **pinned)
        assert refused.returncode == 1
        assert "is not the file that MODEL_SHA256 names" in refused.stderr
        wrong = operate(
            folder, server, "swap", "second.joblib", first, **pinned
        )
        assert wrong.returncode == 1
        assert f"the SHA-256 of second.joblib is {second}" in wrong.stderr
        assert versions(server) == {first[:12]}
        swapped = operate(
            folder, server, "swap", "second.joblib", second, **pinned
        )
        assert swapped.returncode == 0, swapped.stderr
        assert f"set MODEL_SHA256={second}" in swapped.stdout
        assert versions(server) == {second[:12]}
    # Until then, a restart takes what the settings name.
    with serving(folder, **pinned) as server:
        assert versions(server) == {first[:12]}
    with serving(folder, MODEL_SHA256=second) as server:
        assert versions(server) == {second[:12]}


def test_a_digest_of_no_file_does_not_start(folder: Path) -> None:
    save(folder, EXAMPLES[0], "model.joblib")
    pinned = {"MODEL_SHA256": "0" * 64}
    with started(SERVE, folder, **RUN, **pinned) as server:
        assert server.process.wait(60) == 1
        assert "is not the file that MODEL_SHA256 names" in (
            server.log.read_text()
        )
        idle = operate(folder, server, "models")
    assert idle.returncode == 1
    assert "no replica of the service is running" in idle.stderr
    assert "Traceback" not in idle.stderr


def test_a_model_in_the_projects_folder_is_copied_once(folder: Path) -> None:
    """Later swaps and rollbacks decide, until another model is dropped there."""
    first = save(folder, EXAMPLES[0], "model.joblib")
    served = folder / "models" / "model.joblib"
    for _ in range(2):
        assert place(folder).returncode == 0
        assert digest_of(served) == first
    swapped = save(folder, EXAMPLES[1], "models/model.joblib")
    place(folder)
    assert digest_of(served) == swapped
    third = save(folder, EXAMPLES[2], "model.joblib")
    place(folder)
    assert digest_of(served) == third
    served.unlink()
    place(folder)
    assert digest_of(served) == third


def test_a_model_that_was_put_beside_the_served_ones_by_hand_is_not_lost(
    folder: Path,
) -> None:
    """As after `make serve` has built an example, and somebody has copied a model to models/."""
    first = save(folder, EXAMPLES[0], "model.joblib")
    (folder / "models").mkdir()
    own = save(folder, EXAMPLES[1], "models/model.joblib")
    served = folder / "models" / "model.joblib"
    said = "model.joblib is not served: models/ had another one before."
    assert said in place(folder).stdout
    assert digest_of(served) == own
    assert place(folder).stdout == ""
    third = save(folder, EXAMPLES[2], "model.joblib")
    assert place(folder).stdout.startswith("model.joblib is copied")
    assert digest_of(served) == third
    kept = served.with_name("model.joblib.versions") / f"{own}.joblib"
    assert digest_of(kept) == own
    assert first not in {digest_of(path) for path in kept.parent.iterdir()}


def test_a_folder_of_the_settings_gets_no_copy(folder: Path) -> None:
    save(folder, EXAMPLES[0], "model.joblib")
    assert place(folder, MODEL_FOLDER="elsewhere").returncode == 0
    assert not (folder / "models").exists()
    assert not (folder / "elsewhere").exists()


def place(folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "python.production.deployment", "place"],
        cwd=folder,
        env=ENVIRON | environ,
        capture_output=True,
        text=True,
        check=False,
    )
