"""Who is measured: the service, its ceiling, and other ways to serve a model, each in a virtual environment of its own."""

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
# A peer has these in the versions that the service has, so that the same file loads and gives the same answers.
SAME = ("joblib", "numpy", "pandas", "scikit-learn", "scipy", "shap")


def prepare() -> None:
    """Hold what is started from now on to as many processors as a server has processes; ends the program if wrk is missing."""
    if not shutil.which("wrk"):
        sys.exit("wrk is needed: https://github.com/wg/wrk")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(PROCESSES)])


def environment(name: str) -> Path:
    """The programs of a virtual environment for a peer, made when it is not there as it should be."""
    folder = ROOT / ".venv" / f"bench-{name}"
    requirements, constraints = PEERS / f"{name}.txt", folder / "constraints.txt"
    wanted = requirements.read_text() + "".join(
        f"{package}=={version(package)}\n" for package in SAME
    )
    made = folder / "made-of.txt"
    if not made.exists() or made.read_text() != wanted:
        print(f"making {folder.relative_to(ROOT)}, once", file=sys.stderr)
        subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(folder)], check=True
        )
        constraints.write_text(wanted.removeprefix(requirements.read_text()))
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        given = ["-r", str(requirements), "-c", str(constraints)]
        subprocess.run([str(folder / "bin" / "python"), *install, *given], check=True)
        made.write_text(wanted)
    return folder / "bin"


def service(workload: Workload) -> Contender:
    """The project itself, as in production."""
    return _uwsgi(
        ROOT / "uwsgi.ini",
        workload,
        {"PYTHONPATH": str(ROOT), "MODEL_FOLDER": str(workload.folder)},
    )


def constant(workload: Workload) -> Contender:
    """The ceiling: Flask under the same uWSGI, with the answer ready."""
    ini, answer = workload.folder / "constant.ini", workload.folder / "answer.json"
    lines = (
        (ROOT / "uwsgi.ini")
        .read_text()
        .replace("service:application", "constant:application")
        .splitlines()
    )
    ini.write_text(
        "\n".join(line for line in lines if not line.startswith("shared-import"))
    )  # it needs none of them
    answer.write_bytes(workload.answer)
    return _uwsgi(ini, workload, {"PYTHONPATH": str(PEERS), "CONSTANT": str(answer)})


def fastapi(workload: Workload) -> Contender:
    """A service written by hand, with pydantic and one explainer for all requests; takes and answers what the service does."""
    programs, address = environment("fastapi"), _free_address()
    environ = {"PYTHONPATH": str(PEERS), "MODEL": str(workload.folder / "model.joblib")}
    options = [
        *_options(address),
        "--workers",
        PROCESSES,
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    command = [str(programs / "uvicorn"), "fastapi_service:app", *options]
    return Contender(
        command, environ, address + _query(workload), workload.body, _fastapi_answer
    )


def mlflow(workload: Workload) -> Contender | None:
    """Its scoring server and a model saved for it; takes values without names where the model knows none."""
    if workload.explanation:
        return None
    programs, address, model = (
        environment("mlflow"),
        _free_address(),
        workload.folder / "mlflow",
    )
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "UVICORN_LOG_LEVEL": "warning",
        "UVICORN_ACCESS_LOG": "false",
    }
    environ = quiet | {"PATH": f"{programs}:{os.environ['PATH']}"}
    if not model.exists():
        save = [
            str(programs / "python"),
            str(PEERS / "mlflow_save.py"),
            str(workload.folder / "model.joblib"),
            str(model),
        ]
        subprocess.run(save, check=True, env=os.environ | environ)
    options = [*_options(address), "--workers", PROCESSES, "--env-manager", "local"]
    command = [
        str(programs / "mlflow"),
        "models",
        "serve",
        "--model-uri",
        str(model),
        *options,
    ]
    frame = {
        "dataframe_split": {"columns": list(workload.records[0]), "data": workload.rows}
    }
    body = frame if workload.named else {"inputs": workload.rows}
    return Contender(
        command,
        environ,
        address + "/invocations",
        body,
        lambda answer: (answer["predictions"], None),
    )


def bentoml(workload: Workload) -> Contender | None:
    """A service that lets waiting requests share a call; takes values without names where the model knows none."""
    if workload.explanation:
        return None
    programs, address = environment("bentoml"), _free_address()
    environ = {
        "MODEL": str(workload.folder / "model.joblib"),
        "WORKERS": PROCESSES,
        "BENTOML_DO_NOT_TRACK": "True",
    }
    environ |= {
        "BENTOML_HOME": str(workload.folder),
        "PATH": f"{programs}:{os.environ['PATH']}",
    }
    command = [
        str(programs / "bentoml"),
        "serve",
        "bentoml_service:Peer",
        *_options(address),
        "--working-dir",
        str(PEERS),
    ]
    path, body = (
        ("/predict_named", {"records": workload.records})
        if workload.named
        else ("/predict", {"rows": workload.rows})
    )
    return Contender(
        command, environ, address + path, body, lambda answer: (answer, None)
    )


CONTENDERS: dict[str, Callable[[Workload], Contender | None]] = {
    "service": service,
    "constant view": constant,
    "FastAPI": fastapi,
    "MLflow": mlflow,
    "BentoML": bentoml,
}


def _uwsgi(ini: Path, workload: Workload, environ: dict[str, str]) -> Contender:
    address = _free_address()
    environ = environ | {"WORKERS": PROCESSES, "PORT": address.rpartition(":")[2]}
    command = [str(Path(sys.executable).with_name("uwsgi")), "--ini", str(ini)]
    return Contender(
        command, environ, address + _query(workload), workload.body, _service_answer
    )


def _query(workload: Workload) -> str:
    return "/predict?proba=1" + ("&explain=1" if workload.explanation else "")


def _service_answer(answer: Any) -> Answer:
    explained = answer.get("explanation", [])
    explained = [explained] if isinstance(explained, dict) else explained
    return [list(row.values()) for row in answer["prediction"]], [
        list(row.values()) for row in explained
    ]


def _fastapi_answer(answer: Any) -> Answer:
    return [list(row.values()) for row in answer["prediction"]], answer["explanation"]


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _options(address: str) -> list[str]:
    return ["--host", "127.0.0.1", "--port", address.rpartition(":")[2]]
