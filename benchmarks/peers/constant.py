"""The ceiling: a Flask view that returns a constant."""

import os
from pathlib import Path

from flask import Flask, Response, request

application = Flask(__name__, static_folder=None)
ANSWER = Path(os.environ["CONSTANT"]).read_bytes()


@application.post("/predict")
def predict() -> Response:
    """The answer, whatever is asked; what is left unread would break the connection."""
    request.get_data()
    return Response(ANSWER, mimetype="application/json")
