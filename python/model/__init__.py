"""The model room: data science and no web.

A family of models is one class, and one line in `FAMILIES`.
"""

from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from python.model.base import Model

# Names rather than classes, so that only the family in use is imported.
FAMILIES = {"SKLEARN_MODEL": "python.model.sklearn:SklearnModel"}


def load_model(
    path: Path,
    family: str,
    sha256: str = "",
) -> "Model":
    """Return the model in the file, ready to predict; raise ArtifactError in one sentence."""
    # joblib comes with it, and a health check needs none.
    from python.model.artifact import Artifact

    artifact = Artifact.load(path, sha256)
    model: Model = resolve_name(FAMILIES[family]).load(artifact)
    return model
