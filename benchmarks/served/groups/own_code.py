"""The user's own code: functions of a notebook, classes of a module."""

from benchmarks.served.registry import Group

group = Group("Own code")

group.script("a function of the notebook", "function.py", "joblib")
group.script(
    "a function of the notebook, cloudpickle", "function.py", "cloudpickle"
)
group.script("a lambda of the notebook, cloudpickle", "function.py", "lambda")
group.script("a class of the notebook", "classes.py", "joblib")
group.script(
    "a class of the notebook, cloudpickle", "classes.py", "cloudpickle"
)
group.script("a module that is not there", "module.py", "elsewhere")
group.script("a module in model_code/", "module.py", "model_code")
