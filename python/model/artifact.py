"""The artifact: what a data scientist puts into `model.joblib`."""

import hashlib
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, Self

import joblib

from python.errors import ArtifactError

log = logging.getLogger(__name__)

VERSION_DIGITS = 12


@dataclass(frozen=True)
class Artifact:
    """A fitted estimator, the metadata of its features and, where given, background rows for explanations."""

    model: Any
    metadata: Mapping[str, Any]
    samples: Any = None
    version: str = ""  # the start of the file's SHA-256

    @classmethod
    def load(cls, path: Path, sha256: str = "") -> Self:
        """The artifact in a file written with `joblib.dump`; with `sha256`, only if the file has that digest.

        Loading runs code that the file names, as every pickle does: serve only files that you trust.
        Raises ArtifactError with one sentence that says what is wrong with the file.
        """
        try:
            with path.open("rb") as file:
                digest = _digest(file, path.name, sha256)
                content = _unpickled(file, path.name)
        except OSError as error:
            raise ArtifactError(f"{path.name} cannot be read: {error.strerror or error}") from error
        return replace(cls.of(content, path.name), version=digest[:VERSION_DIGITS])

    @classmethod
    def of(cls, content: Any, name: str = "model.joblib") -> Self:
        """The artifact that `content`, the dict from the file, describes."""
        if not isinstance(content, Mapping):
            raise ArtifactError(f"{name} holds {_article(type(content).__name__)}, not a dict")
        if absent := [key for key in ("model", "metadata") if key not in content]:
            raise ArtifactError(f'{name} lacks the key "{absent[0]}"')
        if not callable(getattr(content["model"], "predict", None)):
            raise ArtifactError(
                f"the model in {name}, {_article(type(content['model']).__name__)}, has no predict()"
            )
        if not isinstance(content["metadata"], Mapping):
            raise ArtifactError(f"the metadata in {name} must be a dict")
        _compare_versions(content["metadata"].get("versions", {}), name)
        return cls(content["model"], content["metadata"], content.get("samples"))


def _digest(file: IO[bytes], name: str, expected: str) -> str:
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    if expected and digest != expected.lower():
        raise ArtifactError(
            f"{name} is not the file that MODEL_SHA256 names: its SHA-256 is {digest}"
        )
    file.seek(0)
    return digest


def _unpickled(file: IO[bytes], name: str) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            content = joblib.load(file)
        except ModuleNotFoundError as error:
            raise ArtifactError(
                f"{name} needs the package {error.name}: add it to requirements.txt"
            ) from error
        except AttributeError as error:
            raise ArtifactError(f"{name} refers to code that is not there: {error}") from error
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # a damaged pickle can raise anything
            said = f"joblib cannot load it ({type(error).__name__})"
            raise ArtifactError(
                f"{name} is truncated, damaged or something else: {said}"
            ) from error
    for message in dict.fromkeys(_sentence(warning.message) for warning in caught):
        log.warning("%s: %s", name, message)
    return content


def _sentence(warning: Warning | str) -> str:
    # scikit-learn says one of these for each of the hundreds of trees of a forest.
    if hasattr(warning, "original_sklearn_version"):
        return _version_sentence(
            "scikit-learn", warning.original_sklearn_version, version("scikit-learn")
        )
    return str(warning)


def _compare_versions(versions: Any, name: str) -> None:
    if not isinstance(versions, Mapping):
        raise ArtifactError("the versions in the metadata must be a dict of packages and versions")
    for package, fitted in versions.items():
        try:
            served = version(str(package))
        except (PackageNotFoundError, ValueError):
            log.warning("%s: fitted with %s %s, which is not installed", name, package, fitted)
            continue
        if served != fitted:
            log.warning("%s: %s", name, _version_sentence(package, fitted, served))


def _version_sentence(package: str, fitted: str, served: str) -> str:
    return f"fitted with {package} {fitted}, served with {served}: answers may differ"


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0].lower() in "aeiou" else f"a {noun}"
