"""The report of a file: whether it will be served, as what, and what it costs."""

import hashlib
import logging
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from python.checking.costs import measure_costs
from python.checking.explained import check_explanation
from python.development import curl
from python.errors import ServiceError
from python.loading import load_checked, prepare
from python.model.base import Model
from python.model.data.features import Value
from python.model.data.spelling import one_line
from python.model.known_values import find_known_values, to_json_values
from python.model.versions import describe_versions
from python.settings import Settings

Report: TypeAlias = dict[str, Any]
"""What `--json` prints: JSON's objects, lists, texts, numbers and null."""

# What `info` says of the model and of how it predicts.
MODEL_KEYS = (
    "type",
    "predictor_type",
    "task",
    "class_names",
    "has_probabilities",
    "probabilities_reason",
)
FAST_KEYS = ("fast_predict", "fast_predict_reason")


class _Lines(logging.Handler):
    """Keeps the warnings that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())


def check_file(path: Path, settings: Settings) -> Report:
    """Return the report of a file, loaded as the service does with these settings.

    `serves` is true if the service would be ready; else `reasons` say why not.
    """
    with _keep_warnings() as lines:
        try:
            report = _describe(path, settings)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # The code in a file may even exit.
            reasons = [_explain(error)]
            report = {"file": str(path), "serves": False, "reasons": reasons}
    return {**report, "warnings": list(dict.fromkeys(lines))}


@contextmanager
def _keep_warnings() -> Iterator[list[str]]:
    """Keep what the project logs, in place of showing it."""
    log = logging.getLogger("python")
    handler = _Lines()
    log.addHandler(handler)
    propagates = log.propagate
    log.propagate = False
    try:
        yield handler.lines
    finally:
        log.propagate = propagates
        log.removeHandler(handler)


def _explain(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.detail
    return f"the model cannot be served: {one_line(error)}"


def _describe(path: Path, settings: Settings) -> Report:
    """Return the report of a file that will be served; raise whatever loading it raises."""
    model = load_checked(path, settings)
    prepare(model, settings)
    info = model.info()
    fast = {key: info.get(key) for key in FAST_KEYS}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "file": str(path),
        "serves": True,
        "sha256": digest,
        "model": {key: info.get(key) for key in MODEL_KEYS},
        "features": _describe_features(model),
        "examples": _count_examples(model),
        "explanation": check_explanation(model, info),
        **fast,
        "versions": _compare_versions(model.metadata),
        "costs": measure_costs(model, path),
        "curl": curl(settings, model),
    }


def _describe_features(model: Model) -> list[dict[str, Any]]:
    """Return the features as `/features` has them, with what the encoders know of each."""
    known_values = find_known_values(model.estimator, model.schema)
    features = []
    for feature in model.features():
        known: list[Value] | None = None
        if feature["name"] in known_values:
            known = to_json_values(known_values[feature["name"]])
        features.append({**feature, "known_values": known})
    return features


def _count_examples(model: Model) -> int:
    """Return how many examples were compared when the file was loaded."""
    return 0 if model.examples is None else len(model.examples.records)


def _compare_versions(
    metadata: Mapping[str, Any],
) -> list[dict[str, str | None]]:
    """Return the version of each package that the file names, then and now."""
    versions: list[dict[str, str | None]] = []
    if "python" in metadata:
        versions.append(
            {
                "package": "Python",
                "fitted_with": str(metadata["python"]),
                "installed": platform.python_version(),
            }
        )
    fitted = {}
    for package, fitted_with in metadata.get("versions", {}).items():
        fitted[str(package)] = str(fitted_with)
    return versions + describe_versions(fitted)
