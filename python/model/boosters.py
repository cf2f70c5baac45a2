"""Boosters of `lgb.train` and `xgb.train`, which are no estimators and say nothing of classes."""

import json

from python.errors import ArtifactError
from python.model.attributes import has_attribute
from python.model.types import Estimator

WRAP = "or wrap the booster as docs/outputs.md shows"
# What LightGBM trains for classes: its prediction is a probability.
LIGHTGBM_OBJECTIVES = (
    "binary",
    "multiclass",
    "multiclassova",
    "cross_entropy",
    "cross_entropy_lambda",
)
XGBOOST_CLASSES = {
    "binary": "XGBClassifier",
    "multi": "XGBClassifier",
    "rank": "XGBRanker",
}


def check_booster(model: Estimator) -> None:
    """Raise ArtifactError for a bare booster that does not predict what an estimator would.

    One of LightGBM with classes predicts probabilities, and would be taken for a regression.
    One of XGBoost predicts nothing for a DataFrame or an array.
    """
    if has_attribute(model, "num_model_per_iteration"):
        _check_lightgbm(model)
    elif has_attribute(model, "save_config") and has_attribute(
        model, "inplace_predict"
    ):
        _refuse_xgboost(model)


def _check_lightgbm(booster: Estimator) -> None:
    first_tree = booster.dump_model(num_iteration=1)
    # There is none if the objective is a function.
    objective = str(first_tree.get("objective", ""))
    name = objective.partition(" ")[0]
    if name in LIGHTGBM_OBJECTIVES:
        raise ArtifactError(
            f"the model is a Booster of LightGBM with the objective {name}, which predicts "
            f"probabilities and no labels: fit an LGBMClassifier, {WRAP}"
        )


def _refuse_xgboost(booster: Estimator) -> None:
    learner = json.loads(booster.save_config())["learner"]
    family = learner["objective"]["name"].partition(":")[0]
    name = XGBOOST_CLASSES.get(family, "XGBRegressor")
    raise ArtifactError(
        "the model is a Booster of XGBoost, which predicts for a DMatrix alone: write "
        'booster.save_model("booster.json"), and put what model.load_model("booster.json") '
        f"makes of model = {name}() into the file"
    )
