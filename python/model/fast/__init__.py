"""Fast answers: compiled copies of estimators, proven to answer the same; without this package all works, slower."""
