"""Scrapes: `/metrics` on the port of the service, where the settings say so."""

from collections.abc import Callable

from flask import Blueprint, Response


def make_scrapes(expose: Callable[[], bytes], content_type: str) -> Blueprint:
    """Return the route of the metrics; `expose` returns them as text."""
    scrapes = Blueprint("scrapes", __name__)

    @scrapes.get("/metrics")
    def metrics() -> Response:
        """Return the metrics of the replica."""
        return Response(expose(), content_type=content_type)

    return scrapes
