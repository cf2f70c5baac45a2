"""The model room: data science and no web. A family of models is one class and one line in `FAMILIES`."""

from pathlib import Path
from pkgutil import resolve_name

from python.model.artifact import Artifact
from python.model.base import Model

# Names rather than classes, so that only the family in use is imported.
FAMILIES = {"SKLEARN_MODEL": "python.model.sklearn:SklearnModel"}


def load_model(path: Path, family: str, sha256: str = "") -> Model:
    """The model in the file, ready to answer; raises ArtifactError in one sentence."""
    model: Model = resolve_name(FAMILIES[family]).load(Artifact.load(path, sha256))
    return model
