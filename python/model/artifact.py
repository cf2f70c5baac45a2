"""The artifact: what a data scientist puts into `model.joblib`."""

import hashlib
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Self

import joblib

from python.errors import ArtifactError
from python.model.diagnosis import diagnose, version_cure
from python.model.examples import Examples
from python.model.skops import is_skops, load_skops
from python.model.types import Estimator
from python.model.versions import explain_version, find_installed

log = logging.getLogger(__name__)

VERSION_DIGITS = 12


@dataclass(frozen=True)
class Artifact:
    """A fitted estimator, the metadata of its features and, if there are some, training rows.

    `samples`, a DataFrame or a list of records, are the background of explanations.
    `examples` are rows with what the model predicted for them when it was saved.
    `version` is the start of the file's SHA-256.
    `other_versions` are those of the packages that the model was fitted with, by what pip calls
    the package, where the installed one is another.
    `profile` says of each feature how its values were distributed in the training data, and
    `prediction_profile` how the predictions for it were.
    """

    model: Estimator
    metadata: Mapping[str, Any]
    samples: Any = None
    examples: Examples | None = None
    version: str = ""
    other_versions: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    prediction_profile: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(
        cls, path: Path, sha256: str = "", trusted_types: Sequence[str] = ()
    ) -> Self:
        """Return the artifact in a file written with `joblib.dump`, or with skops.

        With `sha256`, the file is loaded only if it has that digest.
        Loading runs code that the file names, as every pickle does: serve only files you trust.
        A file of skops runs none; it may have skops' own types and the trusted ones.
        Raises ArtifactError with one sentence that says what is wrong with the file.
        """
        try:
            with path.open("rb") as file:
                digest = _checked_digest(file, path.name, sha256)
                fitted_with: dict[str, str] = {}
                if is_skops(file, path.name):
                    content = load_skops(file, path.name, trusted_types)
                else:
                    content, fitted_with = _unpickle(file, path.name)
        except OSError as error:
            raise ArtifactError(
                f"{path.name} cannot be read: {error.strerror or error}"
            ) from error
        artifact = cls.of(content, path.name, digest[:VERSION_DIGITS])
        other_versions = {**artifact.other_versions, **fitted_with}
        return replace(artifact, other_versions=other_versions)

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
        other_versions = _warn_of_other_versions(
            metadata.get("versions", {}), name
        )
        examples = content.get("examples")
        return cls(
            model,
            metadata,
            samples=content.get("samples"),
            examples=None if examples is None else Examples.of(examples),
            version=version,
            other_versions=other_versions,
            profile=_read_mapping(content, "profile"),
            prediction_profile=_read_mapping(content, "prediction_profile"),
        )

    @property
    def tables(self) -> dict[str, Any]:
        """The tables of training rows, by the name of each: a DataFrame or a list of records."""
        tables = {}
        if self.samples is not None:
            tables["samples"] = self.samples
        if self.examples is not None:
            tables["examples"] = self.examples.records
        return tables

    @property
    def version_cure(self) -> str:
        """What to install where the installed versions cannot use the model; "" if none differs."""
        for package, fitted_with in self.other_versions.items():
            return version_cure(package, fitted_with)
        return ""


def _read_mapping(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return what is under a key if it is a dict: one that was written by hand may be anything."""
    mapping = content.get(key)
    return mapping if isinstance(mapping, Mapping) else {}


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


def _unpickle(file: IO[bytes], name: str) -> tuple[Any, dict[str, str]]:
    """Return the content of the file, and the other version that scikit-learn fitted it with."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            content = joblib.load(file)
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # a damaged pickle can raise anything
            raise ArtifactError(f"{name} {diagnose(file, error)}") from error
    messages = [warning.message for warning in caught]
    return content, _read_warnings(messages, name)


def _read_warnings(
    messages: Sequence[Warning | str], name: str
) -> dict[str, str]:
    """Log each warning, and return the other version that scikit-learn fitted the model with."""
    # scikit-learn repeats its warning for each of the hundreds of trees of a forest.
    for sentence in dict.fromkeys(map(_sentence, messages)):
        log.warning("%s: %s", name, sentence)
    fitted_with = {}
    for message in messages:
        if hasattr(message, "original_sklearn_version"):
            fitted_with["scikit-learn"] = message.original_sklearn_version
    return fitted_with


def _sentence(warning: Warning | str) -> str:
    if hasattr(warning, "original_sklearn_version"):
        fitted_with = warning.original_sklearn_version
        return explain_version("scikit-learn", fitted_with)
    return str(warning)


def _warn_of_other_versions(versions: Any, name: str) -> dict[str, str]:
    """Return those of the versions that are not the installed ones, and log each of them."""
    if not isinstance(versions, Mapping):
        raise ArtifactError(
            "the versions in the metadata must be a dict of packages and versions"
        )
    other_versions = {}
    for package, fitted_with in versions.items():
        if find_installed(str(package)) != str(fitted_with):
            other_versions[str(package)] = str(fitted_with)
            sentence = explain_version(str(package), str(fitted_with))
            log.warning("%s: %s", name, sentence)
    return other_versions


def _with_article(thing: Any) -> str:
    noun = type(thing).__name__
    article = "an" if noun[0].lower() in "aeiou" else "a"
    return f"{article} {noun}"
