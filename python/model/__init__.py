"""The model room: data science and no web.

A family of models is one class, and one line in `FAMILIES`.
`save_model` writes a model file from a notebook; `load_model` reads it where it is served.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from python.model.base import Model
    from python.model.saving.training import Inputs
    from python.model.types import Estimator

# Names rather than classes, so that only the family in use is imported.
FAMILIES = {"SKLEARN_MODEL": "python.model.sklearn:SklearnModel"}


def load_model(
    path: Path,
    family: str,
    sha256: str = "",
    trusted_types: Sequence[str] = (),
) -> "Model":
    """Return the model in the file, ready to predict; raise ArtifactError in one sentence.

    `sha256` is that of the file; `trusted_types` are those that a file of skops may have.
    """
    # joblib comes with it, and a health check needs none.
    from python.model.artifact import Artifact

    artifact = Artifact.load(path, sha256, trusted_types)
    model: Model = resolve_name(FAMILIES[family]).load(artifact)
    return model


def save_model(  # noqa: PLR0913  (each of the others is named where it is passed)
    model: "Estimator",
    X: "Inputs",
    path: Path | str = "model.joblib",
    *,
    y: Any = None,
    class_names: Any = None,
    defaults: Mapping[str, Any] | None = None,
    samples: int = 100,
    examples: int = 20,
) -> None:
    """Write a file that serves the model, which was fitted with `X`, and prove that it does.

    `X` is a DataFrame, an array, or texts in a list or a Series; `y` is its target.
    `defaults` stand in for missing values, by the name of the feature.
    The file gets so many rows of `X` as `samples` to explain against, and as `examples` to compare
    whenever it is loaded; 0 leaves them out.
    What was assumed of the features is printed. A fresh process then loads the file as the service
    does and sends up to 10,000 rows of `X` to it. The file takes its place only after each
    prediction was the model's own.
    A path that ends in `.skops` gets a file of skops, and the types to trust are printed.
    Raises ArtifactError in one sentence for what could not be served, or not within an hour be
    proven, and OSError if the file cannot be written.
    """
    # These bring pandas, joblib and scikit-learn.
    from python.model.saving.artifacts import Wishes, save

    if defaults is None:
        defaults = {}
    wishes = Wishes(y, class_names, defaults, samples, examples)
    save(model, X, wishes, path)
