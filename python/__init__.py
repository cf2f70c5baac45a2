"""A trained model as a REST service.

A request flows one way, each step one module: `api.routes` receives it, `api.requests` turns its bytes into validated
columns, once, against the schema that `model.features` made from the model's metadata; `model` predicts and explains,
columns in and arrays out; `api.responses` turns the arrays into JSON. Anything that goes wrong on the way is an error
from `errors`, which describes itself as a problem and leaves through one handler. `app` introduces the two rooms to
each other: `model` knows data science and no web, `api` knows the web and no data science.
"""

__version__ = "2.0.0"
