"""The scoring room: `python -m python.score` predicts the rows of a file, without a server.

The process that reads and writes knows no model. Its workers do, each with a copy of its own:
they take chunks of the input and return parts of the output.
"""
