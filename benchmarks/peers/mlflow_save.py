"""Save the model of a model.joblib as MLflow serves it: `python mlflow_save.py model.joblib FOLDER`."""

import logging
import sys

import joblib
import mlflow.sklearn

logging.getLogger("mlflow").setLevel(
    "ERROR"
)  # the file is our own, so it may be pickled
mlflow.sklearn.save_model(
    joblib.load(sys.argv[1])["model"],
    sys.argv[2],
    serialization_format="cloudpickle",
    pyfunc_predict_fn="predict_proba",
    pip_requirements=[
        "scikit-learn"
    ],  # asked for by name, so that MLflow does not look for them by predicting
)
