"""Doubts: what the metadata may say wrongly, tried on the estimator before it serves.

Whatever changes the estimator's own predictions is a fault of the artifact, said with its cure.
"""
