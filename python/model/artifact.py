"""The artifact: what a data scientist puts into `model.joblib`."""

import hashlib
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, Self

import joblib

from python.errors import ArtifactError
from python.model.types import Estimator

log = logging.getLogger(__name__)

VERSION_DIGITS = 12


@dataclass(frozen=True)
class Artifact:
    """A fitted estimator, the metadata of its features and, if there are some, background rows.

    `version` is the start of the file's SHA-256.
    """

    model: Estimator
    metadata: Mapping[str, Any]
    samples: Any = None
    version: str = ""

    @classmethod
    def load(cls, path: Path, sha256: str = "") -> Self:
        """Return the artifact in a file written with `joblib.dump`.

        With `sha256`, the file is loaded only if it has that digest.
        Loading runs code that the file names, as every pickle does: serve only files you trust.
        Raises ArtifactError with one sentence that says what is wrong with the file.
        """
        try:
            with path.open("rb") as file:
                digest = _checked_digest(file, path.name, sha256)
                content = _unpickle(file, path.name)
        except OSError as error:
            raise ArtifactError(
                f"{path.name} cannot be read: {error.strerror or error}"
            ) from error
        return cls.of(content, path.name, digest[:VERSION_DIGITS])

    @classmethod
    def of(
        cls,
        content: Any,
        name: str = "model.joblib",
        version: str = "",
    ) -> Self:
        """Return the artifact that `content`, the dict from the file `name`, describes.

        Raises ArtifactError with one sentence that says what is wrong with it.
        """
        if not isinstance(content, Mapping):
            raise ArtifactError(
                f"{name} holds {_with_article(content)}, not a dict"
            )
        for key in ("model", "metadata"):
            if key not in content:
                raise ArtifactError(f'{name} lacks the key "{key}"')
        model = content["model"]
        metadata = content["metadata"]
        if not callable(getattr(model, "predict", None)):
            raise ArtifactError(
                f"the model in {name}, {_with_article(model)}, has no predict()"
            )
        if not isinstance(metadata, Mapping):
            raise ArtifactError(f"the metadata in {name} must be a dict")
        _warn_of_other_versions(metadata.get("versions", {}), name)
        return cls(model, metadata, content.get("samples"), version)


def _checked_digest(
    file: IO[bytes],
    name: str,
    expected: str,
) -> str:
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    if expected and digest != expected.lower():
        fault = (
            f"is not the file that MODEL_SHA256 names: its SHA-256 is {digest}"
        )
        raise ArtifactError(f"{name} {fault}")
    file.seek(0)
    return digest


def _unpickle(file: IO[bytes], name: str) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            content = joblib.load(file)
        except ModuleNotFoundError as error:
            cure = "add it to requirements.txt"
            raise ArtifactError(
                f"{name} needs the package {error.name}: {cure}"
            ) from error
        except AttributeError as error:
            fault = f"refers to code that is not there: {error}"
            raise ArtifactError(f"{name} {fault}") from error
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # a damaged pickle can raise anything
            reason = f"joblib cannot load it ({type(error).__name__})"
            fault = f"is truncated, damaged or something else: {reason}"
            raise ArtifactError(f"{name} {fault}") from error
    # scikit-learn repeats its warning for each of the hundreds of trees of a forest.
    sentences = dict.fromkeys(_sentence(warning.message) for warning in caught)
    for sentence in sentences:
        log.warning("%s: %s", name, sentence)
    return content


def _sentence(warning: Warning | str) -> str:
    if hasattr(warning, "original_sklearn_version"):
        fitted_with = warning.original_sklearn_version
        return _version_sentence(
            "scikit-learn", fitted_with, version("scikit-learn")
        )
    return str(warning)


def _warn_of_other_versions(versions: Any, name: str) -> None:
    if not isinstance(versions, Mapping):
        raise ArtifactError(
            "the versions in the metadata must be a dict of packages and versions"
        )
    for package, fitted_with in versions.items():
        try:
            installed = version(str(package))
        except (PackageNotFoundError, ValueError):
            log.warning(
                "%s: fitted with %s %s, which is not installed",
                name,
                package,
                fitted_with,
            )
            continue
        if installed != fitted_with:
            log.warning(
                "%s: %s",
                name,
                _version_sentence(package, fitted_with, installed),
            )


def _version_sentence(
    package: str,
    fitted_with: str,
    installed: str,
) -> str:
    return f"fitted with {package} {fitted_with}, served with {installed}: answers may differ"


def _with_article(thing: Any) -> str:
    noun = type(thing).__name__
    article = "an" if noun[0].lower() in "aeiou" else "a"
    return f"{article} {noun}"
