"""What is measured: the service, its ceiling, and other ways to serve a model.

Each of the others is in a virtual environment of its own.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.servers import Answer, Contender
from benchmarks.workloads import ROOT, Workload

PEERS = Path(__file__).parent / "peers"
PROCESSES = "2"
# A peer has these in the versions of the service: the same file loads, and predicts the same.
SAME_VERSIONS = ("joblib", "numpy", "pandas", "scikit-learn", "scipy", "shap")


def prepare() -> None:
    """Keep what is started from now on to as many processors as a server has processes.

    Ends the program if wrk is missing.
    """
    if not shutil.which("wrk"):
        sys.exit("wrk is needed: https://github.com/wg/wrk")
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, processors[: int(PROCESSES)])


def environment(name: str) -> Path:
    """Return the folder of programs of a peer's virtual environment.

    It is made when there is none, or one of other requirements.
    """
    folder = ROOT / ".venv" / f"bench-{name}"
    requirements = PEERS / f"{name}.txt"
    constraints = "".join(
        f"{package}=={version(package)}\n" for package in SAME_VERSIONS
    )
    made_of = requirements.read_text() + constraints
    record = folder / "made-of.txt"
    if not record.exists() or record.read_text() != made_of:
        print(f"making {folder.relative_to(ROOT)}, once", file=sys.stderr)
        make = [sys.executable, "-m", "venv", "--clear", str(folder)]
        subprocess.run(make, check=True)
        constraints_file = folder / "constraints.txt"
        constraints_file.write_text(constraints)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install"]
        install += ["--quiet", "--disable-pip-version-check"]
        install += ["-r", str(requirements), "-c", str(constraints_file)]
        subprocess.run(install, check=True)
        record.write_text(made_of)
    return folder / "bin"


def service(workload: Workload) -> Contender:
    """Return the project itself, as in production."""
    environ = {"PYTHONPATH": str(ROOT), "MODEL_FOLDER": str(workload.folder)}
    return _uwsgi(ROOT / "uwsgi.ini", workload, environ)


def constant(workload: Workload) -> Contender:
    """Return the ceiling: a view of Flask that returns a constant, under the same uWSGI."""
    own = (ROOT / "uwsgi.ini").read_text()
    lines = []
    for line in own.splitlines():
        if not line.startswith("shared-import"):  # it needs none of them
            lines.append(
                line.replace("service:application", "constant:application")
            )
    ini = workload.folder / "constant.ini"
    ini.write_text("\n".join(lines))
    answer = workload.folder / "answer.json"
    answer.write_bytes(workload.answer)
    environ = {"PYTHONPATH": str(PEERS), "CONSTANT": str(answer)}
    return _uwsgi(ini, workload, environ)


def fastapi(workload: Workload) -> Contender:
    """Return a service written by hand, with pydantic and one explainer for all requests.

    It takes and answers what the service does, but for a background, which it has from its start.
    """
    programs = environment("fastapi")
    address = _free_address()
    command = [
        str(programs / "uvicorn"),
        "fastapi_service:app",
        *_options(address),
    ]
    command += [
        "--workers",
        PROCESSES,
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    environ = {
        "PYTHONPATH": str(PEERS),
        "MODEL": str(workload.folder / "model.joblib"),
    }
    url = address + _query(workload)
    if workload.background:
        background = workload.folder / "background.json"
        background.write_text(json.dumps(workload.background))
        environ["BACKGROUND"] = str(background)
    body = workload.unaccompanied
    return Contender(command, environ, url, body, _read_fastapi)


def mlflow(workload: Workload) -> Contender | None:
    """Return MLflow's scoring server with a model saved for it; None for explanations.

    It takes values without names where the model knows none.
    """
    if workload.explanation:
        return None
    programs = environment("mlflow")
    address = _free_address()
    environ = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "UVICORN_LOG_LEVEL": "warning",
        "UVICORN_ACCESS_LOG": "false",
        "PATH": _path(programs),
    }
    model = workload.folder / "mlflow"
    if not model.exists():
        save = [str(programs / "python"), str(PEERS / "mlflow_save.py")]
        save += [str(workload.folder / "model.joblib"), str(model)]
        subprocess.run(save, check=True, env=os.environ | environ)
    command = [
        str(programs / "mlflow"),
        "models",
        "serve",
        "--model-uri",
        str(model),
    ]
    command += [
        *_options(address),
        "--workers",
        PROCESSES,
        "--env-manager",
        "local",
    ]
    body: dict[str, Any] = {"inputs": workload.rows}
    if workload.named:
        names = list(workload.records[0])
        body = {"dataframe_split": {"columns": names, "data": workload.rows}}
    return Contender(
        command, environ, address + "/invocations", body, _read_mlflow
    )


def bentoml(workload: Workload) -> Contender | None:
    """Return a service in which waiting requests share a call; None for explanations.

    It takes values without names where the model knows none.
    """
    if workload.explanation:
        return None
    programs = environment("bentoml")
    address = _free_address()
    command = [str(programs / "bentoml"), "serve", "bentoml_service:Peer"]
    command += [*_options(address), "--working-dir", str(PEERS)]
    environ = {
        "MODEL": str(workload.folder / "model.joblib"),
        "WORKERS": PROCESSES,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(workload.folder),
        "PATH": _path(programs),
    }
    url = address + "/predict"
    body: dict[str, Any] = {"rows": workload.rows}
    if workload.named:
        url = address + "/predict_named"
        body = {"records": workload.records}
    return Contender(command, environ, url, body, _read_bentoml)


CONTENDERS: dict[str, Callable[[Workload], Contender | None]] = {
    "service": service,
    "constant view": constant,
    "FastAPI": fastapi,
    "MLflow": mlflow,
    "BentoML": bentoml,
}


def _uwsgi(
    ini: Path, workload: Workload, environ: dict[str, str]
) -> Contender:
    address = _free_address()
    environ = environ | {"WORKERS": PROCESSES, "PORT": _port(address)}
    command = [str(Path(sys.executable).with_name("uwsgi")), "--ini", str(ini)]
    url = address + _query(workload)
    return Contender(command, environ, url, workload.body, _read_service)


def _query(workload: Workload) -> str:
    query = "/predict?proba=1"
    if workload.explanation:
        query += "&explain=1"
    return query


def _read_service(answer: Any) -> Answer:
    explanation = answer.get("explanation", [])
    if isinstance(explanation, dict):  # that of a single record
        explanation = [explanation]
    return _values(answer["prediction"]), _values(explanation)


def _read_fastapi(answer: Any) -> Answer:
    return _values(answer["prediction"]), answer["explanation"]


def _read_mlflow(answer: Any) -> Answer:
    return answer["predictions"], None


def _read_bentoml(answer: Any) -> Answer:
    return answer, None


def _values(rows: list[dict[str, float]]) -> list[list[float]]:
    return [list(row.values()) for row in rows]


def _path(programs: Path) -> str:
    return f"{programs}:{os.environ['PATH']}"


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _options(address: str) -> list[str]:
    return ["--host", "127.0.0.1", "--port", _port(address)]
