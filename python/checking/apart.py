"""Apart: a file is loaded by a process of its own, which the code in the file may end."""

import json
import sys
from contextlib import redirect_stdout
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from python.settings import Settings

if TYPE_CHECKING:
    from python.checking.report import Report


def check_apart(path: Path, settings: Settings) -> "Report":
    """Return the report of a file, also where its code ends the process or crashes it.

    This process loads nothing of the file: the report comes as JSON.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_send_report, args=(sender, path, settings)
    )
    process.start()
    # Once the other end is closed in both processes, nothing more can come.
    sender.close()
    try:
        report: Report = json.loads(receiver.recv_bytes())
    except EOFError:
        process.join()
        return _report_end(path, process.exitcode)
    finally:
        # A thread of the model may go on, which nobody waits for.
        process.kill()
        process.join()
    return report


def _send_report(sender: Connection, path: Path, settings: Settings) -> None:
    """Send the report of a file as JSON: the work of the other process."""
    # It brings all that a model needs.
    from python.checking.report import check_file

    # What the code of a model prints does not belong into the report.
    with redirect_stdout(sys.stderr):
        report = check_file(path, settings)
    # As bytes: what is sent as an object would be unpickled by the other process.
    sender.send_bytes(json.dumps(report, default=str).encode())


def _report_end(path: Path, status: int | None) -> "Report":
    """Return the report of a file whose code has ended the process, with this status."""
    reason = (
        f"the file ended the process that loaded it, with the status {status}"
    )
    return {
        "file": str(path),
        "serves": False,
        "reasons": [reason],
        "warnings": [],
    }
