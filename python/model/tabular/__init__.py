"""The tabular room: files and bodies of CSV, from text to values and from results to text.

It knows neither files nor HTTP: `python.score` reads files with it, `python.api` reads bodies.
"""
