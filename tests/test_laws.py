"""Every law over every model."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Client
from tests.laws import LAWS, ask
from tests.models import EXAMPLE_NAMES, NAMES, build


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law: Callable[..., None], name: str, client: Client) -> None:
    law(client(name), build(name))


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_every_example_is_explained_without_samples(name: str, client: Client) -> None:
    answer: Any = ask(client(name), "/predict?explain=1", build(name).records(1)[0])
    assert list(answer) == ["prediction", "explanation", "base_value", "explained_output"]
