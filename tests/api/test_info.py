"""What the service says of a model: it can be written, and is, before it is asked for."""

from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from python.errors import ArtifactError
from python.loading import load_checked
from python.settings import Settings
from tests.artifacts import FEATURES, X, client_of, content, features_with

HALF = "caf\udce9"
WITHOUT_NAMES = LogisticRegression().fit(X.to_numpy(), [0, 1, 1])


def refusal(content: Any, folder: Path) -> str:
    """Return the sentence with which a file is refused."""
    path = folder / "model.joblib"
    joblib.dump(content, path)
    with pytest.raises(ArtifactError) as caught:
        load_checked(path, Settings())
    return str(caught.value)


@pytest.mark.parametrize(
    "half",
    [
        content([FEATURES[0], FEATURES[1] | {"name": HALF}], WITHOUT_NAMES),
        content(features_with(description=HALF)),
        content(class_names=["a", HALF]),
        content(profile={"x": {HALF: 1}}),
    ],
)
def test_half_of_a_surrogate_pair_is_refused(
    half: Any, tmp_path: Path
) -> None:
    """A file that was read as ASCII, with `surrogateescape`, has such texts."""
    sentence = refusal(half, tmp_path)
    assert "half of a surrogate pair, the last of 'caf\\udce9'" in sentence


def test_a_profile_that_holds_itself_is_refused(tmp_path: Path) -> None:
    profile: dict[str, Any] = {}
    profile["x"] = profile
    assert "holds itself" in refusal(content(profile=profile), tmp_path)


def test_features_are_encoded_before_they_are_requested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hundreds of features take longer to encode than a request for them may take."""
    client = client_of(content())
    monkeypatch.delattr("python.model.base.Model.features")
    for path in ("/features", "/page/model"):
        assert client.get(path).status_code == 200
