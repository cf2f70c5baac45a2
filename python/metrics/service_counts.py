"""What is counted of every request, whatever the model."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import product

from python.errors import ServiceError
from python.metrics.cells import Cells
from python.metrics.families import (
    COUNTER,
    HISTOGRAM,
    Family,
    Values,
    number_families,
)
from python.metrics.folder import Slot

SECONDS = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
STATUSES = (
    200,
    204,
    304,
    308,
    400,
    401,
    403,
    404,
    405,
    411,
    413,
    415,
    422,
    429,
    431,
    500,
    503,
)
STATUS_REASONS = {
    400: "not_understood",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    431: "headers",
    500: "internal",
}
REASONS = (
    *STATUS_REASONS.values(),
    "unauthorized",
    "length_required",
    "body_size",
    "values",
    "explain_rows",
    "returned_values",
    "explain_seconds",
    "records",
    "unprocessable",
    "not_ready",
)
CLASSES = ("2xx", "3xx", "4xx", "5xx")
MAX_CLIENTS = 64
OTHER = "other"
NO_ROUTE = "none"
FIRST_PROBLEM = 400

REQUESTS = Family(
    "service_requests_total",
    COUNTER,
    "Requests that were responded to.",
    ("route", "status"),
)
PROBLEMS = Family(
    "service_problems_total",
    COUNTER,
    "Requests that got a problem document.",
    ("reason",),
)
DURATIONS = Family(
    "service_request_duration_seconds",
    HISTOGRAM,
    "Seconds from a request in a worker to its response.",
    ("route",),
    bounds=SECONDS,
)
PREDICTION_DURATIONS = Family(
    "service_prediction_duration_seconds",
    HISTOGRAM,
    "Seconds that the model took to predict.",
    bounds=SECONDS,
)
EXPLANATION_DURATIONS = Family(
    "service_explanation_duration_seconds",
    HISTOGRAM,
    "Seconds that the model took to explain.",
    bounds=SECONDS,
)
CLIENT_REQUESTS = Family(
    "service_client_requests_total",
    COUNTER,
    "Requests with a named API key.",
    ("client", "class"),
)


class ServiceCounts:
    """Counts requests, by what they are and what became of them."""

    def __init__(self, slot: Slot, routes: Iterable[str]) -> None:
        """Take the rules of all routes."""
        self._slot = slot
        families = list_families(sorted({*routes, NO_ROUTE}))
        self._values = slot.open_service(families).values
        numbers = number_families(families)
        self._requests = numbers[REQUESTS.name]
        self._problems = numbers[PROBLEMS.name]
        self._durations = numbers[DURATIONS.name]
        self._prediction = numbers[PREDICTION_DURATIONS.name][()]
        self._explanation = numbers[EXPLANATION_DURATIONS.name][()]
        self._clients: dict[str, Cells] = {}
        # Those that the worker before this one has seen.
        self._n_clients = slot.count_clients()

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count a request to a route, which is empty where there is none."""
        route = route or NO_ROUTE
        number = self._requests.get((route, str(status)))
        if number is None:
            number = self._requests[route, OTHER]
        self._values[number] += 1
        observe(self._values, self._durations[route,], SECONDS, seconds)

    def count_model_seconds(self, predict: float, explain: float) -> None:
        """Count what the model took, unless it was not asked."""
        if predict:
            observe(self._values, self._prediction, SECONDS, predict)
        if explain:
            observe(self._values, self._explanation, SECONDS, explain)

    def count_problem(self, status: int, error: Exception | None) -> None:
        """Count what became a problem document."""
        if isinstance(error, ServiceError):
            reason = error.reason
        else:
            reason = STATUS_REASONS.get(status, OTHER)
        number = self._problems.get((reason,))
        if number is None:
            number = self._problems[OTHER,]
        self._values[number] += 1

    def count_client(self, name: str, status: int) -> None:
        """Count a request of a client with a name."""
        cells = self._clients.get(name) or self._open_client(name)
        place = min(max(status // 100 - 2, 0), len(CLASSES) - 1)
        cells.values[place] += 1

    def _open_client(self, name: str) -> Cells:
        is_known = name == OTHER or self._slot.has_client(name)
        if not is_known and self._n_clients >= MAX_CLIENTS:
            # It is looked up anew each time, so that nothing grows.
            return self._clients.get(OTHER) or self._open_client(OTHER)
        if not is_known:
            self._n_clients += 1
        family = CLIENT_REQUESTS.over(product([name], CLASSES))
        cells = self._clients[name] = self._slot.open_client(name, [family])
        return cells


def list_families(routes: Sequence[str]) -> tuple[Family, ...]:
    """Return the families that are counted of every request."""
    statuses = (*map(str, STATUSES), OTHER)
    reasons = (*REASONS, OTHER)
    return (
        REQUESTS.over(product(routes, statuses)),
        PROBLEMS.over((reason,) for reason in reasons),
        DURATIONS.over((route,) for route in routes),
        PREDICTION_DURATIONS,
        EXPLANATION_DURATIONS,
    )


def observe(
    values: Values, start: int, bounds: tuple[float, ...], number: float
) -> None:
    """Add a number to the histogram whose cells begin at `start`."""
    values[start + bisect_left(bounds, number)] += 1
    values[start + len(bounds) + 1] += number
