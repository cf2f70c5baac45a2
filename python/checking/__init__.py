"""The check of a model file before it ships: `python -m python.model FILE`, or `make check`.

It is a hallway of its own, as `python.app` is: the file is loaded and called as the service does.
"""
