"""What was served: artifacts of many kinds, each compared with its own estimator.

An artifact is a function in a module of `groups/` that returns what was fitted:

    @group.artifact("logistic regression, iris")
    def logistic() -> Fitted:
        X, y = data.iris()
        return Fitted(LogisticRegression().fit(X, y), X)

`make served` writes each to a file, serves the file, compares the answers, and writes the
table. A new module of groups is one line in `groups/__init__.py`.
"""
