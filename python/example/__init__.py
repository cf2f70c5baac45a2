"""Examples to copy: each builds a `model.joblib` and needs nothing of this project."""
