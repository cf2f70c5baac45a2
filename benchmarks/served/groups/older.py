"""Files that scikit-learn 1.2.2 wrote, in an environment of its own (`old.txt`)."""

from benchmarks.served.registry import Group

group = Group("Files of scikit-learn 1.2.2")

group.old_script("LogisticRegression, iris", "older.py", "logistic")
group.old_script("RandomForestClassifier, iris", "older.py", "forest")
group.old_script("GradientBoostingClassifier, iris", "older.py", "boosting")
group.old_script(
    "HistGradientBoostingClassifier, iris", "older.py", "histogram"
)
group.old_script(
    "Titanic: impute, scale, one-hot, forest", "older.py", "titanic"
)
group.old_script("SVC, iris", "older.py", "support")
group.old_script(
    "the same, with examples: LogisticRegression", "older.py", "examples"
)
