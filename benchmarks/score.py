"""What `python -m python.score` takes: rows a second and memory, beside a loop of pandas.

`python -m benchmarks.score` writes docs/score-table.md in some ten minutes.
The rows are made here, and a forest of a hundred trees is fitted with some of them.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from benchmarks.contenders import PEERS, environment

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "score-table.md"
SIZES = (100_000, 1_000_000, 10_000_000)
COMPARED_ROWS = 1_000_000
FITTED_ROWS = 20_000
WRITTEN_ROWS = 100_000
FEATURES = [f"feature{number}" for number in range(1, 11)]
SECONDS_BETWEEN_LOOKS = 0.05
MEBIBYTE = 1024 * 1024
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

# What one would write by hand, with the same processors.
LOOP = """
import sys
import joblib, pandas as pd
artifact = joblib.load(sys.argv[1])
model = artifact["model"].set_params(n_jobs=int(sys.argv[4]))
mode = "w"
for chunk in pd.read_csv(sys.argv[2], chunksize=100_000):
    out = pd.DataFrame({"prediction": model.predict(chunk)})
    for name, column in zip(model.classes_, model.predict_proba(chunk).T):
        out[f"proba_{name}"] = column
    out.to_csv(sys.argv[3], mode=mode, header=mode == "w", index=False)
    mode = "a"
"""
# The lean one: the labels are told by the probabilities.
LEAN_LOOP = LOOP.replace(
    '{"prediction": model.predict(chunk)}', "index=range(len(chunk))"
)
IDLE = """
import sys, time
from pathlib import Path
from python.model import load_model
model = load_model(Path(sys.argv[1]), "SKLEARN_MODEL")
print("loaded", flush=True)
time.sleep(60)
"""


class Run(NamedTuple):
    """What a command took: seconds, those of all processors, and the most memory at a time."""

    seconds: float
    cpu_seconds: float
    bytes: int


def measure_memory(process: int) -> int:
    """Return the memory of a process and all that it started; what they share counts once."""
    total = 0
    for number in (process, *find_children(process)):
        try:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        for line in lines.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def find_children(process: int) -> list[int]:
    """Return all that a process started, and that they started."""
    children: list[int] = []
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:  # it has ended
        return children
    for word in text.split():
        children.append(int(word))
        children += find_children(int(word))
    return children


def measure_cpu(process: int) -> float:
    """Return how many seconds a process has computed."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # it has ended
        return 0
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS_PER_SECOND


def run(command: list[str]) -> Run:
    """Run a command to its end, and look at its processes all the time."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    peak = 0
    cpu: dict[int, float] = {}
    while process.poll() is None:
        peak = max(peak, measure_memory(process.pid))
        for number in (process.pid, *find_children(process.pid)):
            cpu[number] = max(cpu.get(number, 0), measure_cpu(number))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    seconds = time.monotonic() - started
    return Run(seconds, sum(cpu.values()), peak)


def measure_idle(model: Path) -> int:
    """Return the memory of a process that has loaded the model and does nothing."""
    command = [sys.executable, "-c", IDLE, str(model)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    next(iter(process.stdout or ()))
    memory = measure_memory(process.pid)
    process.kill()
    process.communicate()
    return memory


def make_rows(count: int, seed: int) -> pd.DataFrame:
    """Return so many rows of numbers."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        draw.normal(size=(count, len(FEATURES))).round(4), columns=FEATURES
    )


def write_rows(path: Path, count: int) -> None:
    """Write a CSV file of so many rows."""
    for number in range(0, count, WRITTEN_ROWS):
        rows = make_rows(min(WRITTEN_ROWS, count - number), number)
        rows.to_csv(
            path, mode="a" if number else "w", header=not number, index=False
        )


def write_model(path: Path) -> None:
    """Write the file of a forest of a hundred trees."""
    rows = make_rows(FITTED_ROWS, 1)
    target = (rows.sum(axis=1) > 0).astype(int)
    forest = RandomForestClassifier(
        max_depth=8, random_state=0, n_jobs=-1
    ).fit(rows, target)
    features = [{"name": name, "type": "numeric"} for name in FEATURES]
    joblib.dump({"model": forest, "metadata": {"features": features}}, path)


def list_others(paths: list[str], cores: str) -> dict[str, list[str]]:
    """Return the commands that score the same file in another way, by what they are."""
    model, data, output = paths
    mlflow = environment("mlflow")
    saved = f"{model}.mlflow"
    save = [str(mlflow / "python"), str(PEERS / "mlflow_save.py")]
    subprocess.run([*save, model, saved], check=True)
    predict = [str(mlflow / "mlflow"), "models", "predict", "-m", saved]
    predict += ["-i", data, "-o", output, "-t", "csv"]
    return {
        "a loop of pandas, `predict` and `predict_proba`": [
            *(sys.executable, "-c", LOOP, *paths, cores)
        ],
        "a loop of pandas, `predict_proba` alone": [
            *(sys.executable, "-c", LEAN_LOOP, *paths, cores)
        ],
        "`mlflow models predict`, `predict_proba` alone": [
            *(*predict, "--env-manager", "local")
        ],
    }


def main() -> None:
    """Measure, and write the table."""
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    cores = str(len(os.sched_getaffinity(0)))
    lines = [
        "| Rows | What | Seconds | CPU seconds | Rows a second | Peak MiB over an idle process |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "model.joblib"
        write_model(model)
        idle = measure_idle(model)
        for size in sizes:
            data = folder / "input.csv"
            output = str(folder / "output.csv")
            write_rows(data, size)
            paths = [str(model), str(data), output]
            score = ["-m", "python.score", *paths, "--proba", "--force"]
            commands = {
                "`python -m python.score --proba`": [sys.executable, *score]
            }
            if size == COMPARED_ROWS:
                commands |= list_others(paths, cores)
            for what, command in commands.items():
                result = run(command)
                over = (result.bytes - idle) / MEBIBYTE
                lines.append(
                    f"| {size:,} | {what} | {result.seconds:.1f} "
                    f"| {result.cpu_seconds:.1f} | {size / result.seconds:,.0f} | {over:.0f} |"
                )
                print(lines[-1], flush=True)
    lines.append("")
    idle_size = f"{idle / MEBIBYTE:.0f} MiB"
    lines.append(
        f"An idle process, which has loaded the model and does nothing, has {idle_size}."
    )
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
