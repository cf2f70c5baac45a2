"""One process of several proves a copy; the others take its word."""

import fcntl
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier

from python.model.fast.copy import Unproven
from python.model.fast.verdicts import Verdict
from python.model.verdicts import judge_once
from tests.model.fast.compiled import sped_up
from tests.models import numbers

PROCESSES = 4
VERDICT = Verdict(takes_missing=False, exact_labels=True, few_limit=3, limit=7)


def judge_and_note(path: Path, notes: Path) -> None:
    """Judge in a process of its own, and leave a note for each judgement that was made."""

    def judge() -> Verdict:
        with notes.open("a") as file:
            file.write("judged\n")
        return VERDICT

    assert judge_once(path, Verdict, judge) == VERDICT


def test_processes_that_come_at_the_same_time_judge_once(
    tmp_path: Path,
) -> None:
    context = multiprocessing.get_context("fork")
    arguments = (tmp_path / "verdicts" / "model", tmp_path / "notes")
    processes = []
    for _ in range(PROCESSES):
        process = context.Process(target=judge_and_note, args=arguments)
        process.start()
        processes.append(process)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert (tmp_path / "notes").read_text() == "judged\n"


def never() -> Verdict:
    raise AssertionError("it is judged a second time")


@pytest.mark.parametrize(
    "verdict", [VERDICT, Verdict(), Verdict(objection="it differs")]
)
def test_a_verdict_is_kept_as_it_is(tmp_path: Path, verdict: Verdict) -> None:
    path = tmp_path / "model"
    assert judge_once(path, Verdict, lambda: verdict) == verdict
    assert judge_once(path, Verdict, never) == verdict


@pytest.mark.parametrize(
    "rest", ["", '{"takes_missing": tr', "[]", '{"a": 1}']
)
def test_what_a_process_left_behind_that_ended_is_no_verdict(
    tmp_path: Path, rest: str
) -> None:
    path = tmp_path / "model"
    path.write_text(rest)
    assert judge_once(path, Verdict, lambda: VERDICT) == VERDICT
    assert judge_once(path, Verdict, never) == VERDICT


def test_a_judge_that_fails_leaves_no_verdict(tmp_path: Path) -> None:
    def fail() -> Verdict:
        raise MemoryError

    with pytest.raises(MemoryError):
        judge_once(tmp_path / "model", Verdict, fail)
    assert judge_once(tmp_path / "model", Verdict, lambda: VERDICT) == VERDICT


def test_a_verdict_that_does_not_last_is_kept_for_nobody(
    tmp_path: Path,
) -> None:
    passing = Verdict(objection="there was no memory", lasts=False)
    path = tmp_path / "model"
    assert judge_once(path, Verdict, lambda: passing) == passing
    assert judge_once(path, Verdict, lambda: VERDICT) == VERDICT
    assert judge_once(path, Verdict, never) == VERDICT


def test_a_process_that_is_stuck_does_not_hold_up_the_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "model"
    with path.open("w") as stuck:
        fcntl.flock(stuck, fcntl.LOCK_EX)
        verdict = judge_once(path, Verdict, lambda: VERDICT, 0.2)
    assert verdict == VERDICT


def test_what_a_proof_has_forked_does_not_hold_up_the_others(
    tmp_path: Path,
) -> None:
    """The process that was forked has the file of the verdict open as long as it lives."""
    context = multiprocessing.get_context("fork")
    child = context.Process(target=time.sleep, args=(60,))

    def fork() -> Verdict:
        child.start()
        return VERDICT

    path = tmp_path / "model"
    judge_once(path, Verdict, fork)
    try:
        assert judge_once(path, Verdict, never, 0.2) == VERDICT
    finally:
        child.kill()
        child.join()


def test_the_second_copy_is_the_first_one_without_a_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = sped_up(
        RandomForestClassifier(5, random_state=0), numbers(), 2
    )
    model.speed_up(tmp_path)
    first = model.copy
    monkeypatch.setattr("python.model.fast.make._prove", never)
    model.speed_up(tmp_path)
    for field in ("takes_missing", "exact_labels", "few_limit", "limit"):
        assert getattr(model.copy, field) == getattr(first, field)


def test_an_objection_is_every_processs_objection() -> None:
    with pytest.raises(Unproven, match="it differs"):
        Verdict(objection="it differs").apply(None)  # type: ignore[arg-type]


def test_where_no_verdict_can_be_kept_each_process_judges(
    tmp_path: Path,
) -> None:
    no_folder = tmp_path / "file"
    no_folder.touch()
    for _ in range(2):
        assert (
            judge_once(no_folder / "model", Verdict, lambda: VERDICT)
            == VERDICT
        )
