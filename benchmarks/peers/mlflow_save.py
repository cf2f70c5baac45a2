"""Save the model of a model.joblib as MLflow serves it: `python mlflow_save.py model.joblib FOLDER`."""

import logging
import sys

import joblib
import mlflow.sklearn

# It warns of pickled files, and this one is our own.
logging.getLogger("mlflow").setLevel("ERROR")
mlflow.sklearn.save_model(
    joblib.load(sys.argv[1])["model"],
    sys.argv[2],
    serialization_format="cloudpickle",
    pyfunc_predict_fn="predict_proba",
    # Named, so that MLflow does not look for them by predicting.
    pip_requirements=["scikit-learn"],
)
