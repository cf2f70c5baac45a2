"""Routes: the service's HTTP interface, a few lines each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

from flask import Blueprint, Response, request

from python.api.exchange import KEY, Exchange
from python.api.openapi import Terms, encode_document
from python.api.requests import (
    Limits,
    Query,
    check_size,
    read_query,
    read_records,
)
from python.api.responses import (
    JSON_TYPE,
    encode_features,
    explanation_content,
    info_content,
    prediction_content,
    records_content,
    respond,
    respond_csv,
)
from python.model.base import Model
from python.model.tabular.results import make_results


@dataclass(frozen=True)
class Service:
    """What the routes serve.

    `loaded_model` returns the model; it raises NotReady while there is none.
    `info` is the content of `/service-info`.
    `terms` is what `/openapi.json` says of the settings.
    """

    loaded_model: Callable[[], Model]
    limits: Limits
    info: Mapping[str, object]
    terms: Terms


def make_routes(service: Service) -> Blueprint:
    """Return the routes of the service."""
    routes = Blueprint("routes", __name__)

    @routes.get("/health")
    def health() -> Response:
        """Return "up" as long as the process responds."""
        return Response("up", mimetype="text/plain")

    @routes.get("/ready")
    def ready() -> Response:
        """Return "ready" once the model is loaded and has predicted a first row."""
        service.loaded_model()
        return Response("ready", mimetype="text/plain")

    @routes.get("/service-info")
    def service_info() -> Response:
        """Return what this service is and since when it runs, in seconds since 1970."""
        return respond(service.info)

    @routes.get("/info")
    def info() -> Response:
        """Return what the model is, and the features that it takes."""
        return respond(info_content(service.loaded_model()))

    @routes.get("/features")
    def features() -> Response:
        """Return the features that the model takes, with their importances."""
        return respond(encode_features(service.loaded_model()))

    @routes.post("/predict")
    def predict() -> Response:
        """Return predictions for the records in the body.

        They are probabilities with `?proba=1`, and come with SHAP values with `?explain=1`.
        The body is JSON or CSV, and so is the response, as the client accepts.
        """
        model = service.loaded_model()
        query = read_query(request.environ, model.schema, service.limits)
        check_size(query, model, service.limits)
        return _predict(model, query, request.environ[KEY])

    @routes.post("/preprocess")
    def preprocess() -> Response:
        """Return the records in the body as the last step of the model sees them."""
        model = service.loaded_model()
        records = read_records(request.environ, model.schema, service.limits)
        names, columns = model.preprocess(records)
        return respond(records_content(names, columns))

    @routes.get("/openapi.json")
    def openapi() -> Response:
        """Return what the service takes and returns, as OpenAPI has it."""
        model = service.loaded_model()
        document = encode_document(model, service.terms)
        return Response(document, mimetype=JSON_TYPE)

    return routes


def _predict(model: Model, query: Query, exchange: Exchange) -> Response:
    """Return what the query wants of the model, in the format that it wants."""
    predictions = model.predictions(query.records)
    started = perf_counter()
    predictions.compute(proba=query.proba)
    predicted = perf_counter()
    exchange.predictions = predictions
    exchange.predict_seconds = predicted - started
    explanation = None
    if query.explain:
        explanation = model.explain(predictions, query.background)
        exchange.explain_seconds = perf_counter() - predicted
    if query.wants_csv:
        results = make_results(
            model, predictions, explanation, proba=query.proba
        )
        return respond_csv(results)
    content = prediction_content(model, predictions, proba=query.proba)
    if explanation is not None:
        single = query.records.single
        content |= explanation_content(model, explanation, single=single)
    return respond(content)
