"""Routes: the service's HTTP interface, a few lines each."""

from concurrent.futures import Future
from functools import lru_cache

from flask import Blueprint, Response, current_app, request

from python.api.requests import check_effort, read, read_records
from python.api.responses import answer, predicted, preprocessed
from python.errors import NotReady, ServiceError
from python.model.base import Model

LOADING_SECONDS, FAILED_SECONDS = 1, 60

routes = Blueprint("routes", __name__)


def loaded_model() -> Model:
    """The model; raises NotReady while it is loading, and after it could not be loaded."""
    return _result(current_app.config["MODEL"])


@lru_cache(
    maxsize=1
)  # a future's locks cost more than the trees of a forest; what raises is asked again
def _result(future: Future[Model]) -> Model:
    if not future.done():
        raise NotReady("the model is being loaded", LOADING_SECONDS)
    if (error := future.exception()) is not None:
        reason = (
            error.detail
            if isinstance(error, ServiceError)
            else "the model could not be loaded; the log has more"
        )
        raise NotReady(reason, FAILED_SECONDS)
    return future.result()


@routes.get("/health")
def health() -> Response:
    """Whether the process answers."""
    return Response("up", mimetype="text/plain")


@routes.get("/ready")
def ready() -> Response:
    """Whether the model is loaded and has answered a first prediction."""
    loaded_model()
    return Response("ready", mimetype="text/plain")


@routes.get("/service-info")
def service_info() -> Response:
    """What this service is and since when it runs, in seconds since 1970."""
    return answer(current_app.config["SERVICE_INFO"])


@routes.get("/info")
def info() -> Response:
    """What the model is, and the features it takes."""
    model = loaded_model()
    return answer(
        {
            "metadata": {**model.metadata, "features": model.features()},
            "model": model.info(),
        }
    )


@routes.get("/features")
def features() -> Response:
    """The features the model takes, with their importances."""
    return answer(loaded_model().features())


@routes.post("/predict")
def predict() -> Response:
    """Predictions for the records in the body; with `?proba=1` probabilities, with `?explain=1` SHAP values."""
    model = loaded_model()
    limits = current_app.config["LIMITS"]
    query = read(request.environ, model.schema, limits)
    check_effort(query, model, limits)
    predictions = model.predictions(query.records)
    outcome = predictions.probabilities if query.proba else predictions.prediction
    explanation = (
        model.explain(predictions, query.background) if query.explain else None
    )
    return predicted(model, query, outcome, explanation)


@routes.post("/preprocess")
def preprocess() -> Response:
    """The records in the body as the last step of the model sees them."""
    model = loaded_model()
    return preprocessed(
        *model.preprocess(
            read_records(request.environ, model.schema, current_app.config["LIMITS"])
        )
    )
