"""A trained model as a REST service.

A request flows one way, and each step is one module:

* `api.routes` receives it;
* `api.requests` reads its bytes, and `api.bodies` makes records of them that fit the schema;
* `model` predicts and explains: records in, arrays out;
* `api.responses` writes the arrays as JSON.

Anything that goes wrong on the way is an error of `errors`, and a problem document of
`api.problems`. `model` knows data science and no web, `api` knows the web and no data science;
`app` brings the two together.
"""

__version__ = "2.0.0"
