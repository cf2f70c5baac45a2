"""Fixtures: a folder to serve from."""

from tests.production.conftest import folder

__all__ = ["folder"]
