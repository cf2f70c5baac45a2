"""The saving room: from an estimator and its training data to a file that is proven to serve.

It imports nothing of the web. `python.proving` does, in a process of its own.
"""
