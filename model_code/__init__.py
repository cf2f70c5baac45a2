"""Your own functions and classes that a model needs, importable wherever the model is served.

A pipeline refers to a function by its module and its name. Put it into a module here, import it
from `model_code` where you fit the model, and fit again: the file then finds it in development,
in the tests and in the image.
"""
