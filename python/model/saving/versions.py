"""Versions: the packages that an estimator was fitted with, as pip calls them."""

from importlib.metadata import packages_distributions, version

from python.model.estimator import find_nested
from python.model.types import Estimator

ALWAYS = ("scikit-learn", "numpy", "pandas")


def find_versions(estimator: Estimator) -> dict[str, str]:
    """Return the versions of scikit-learn, NumPy, pandas and the estimator's own libraries."""
    distributions = packages_distributions()
    names = list(ALWAYS)
    for part in find_nested(estimator):
        for base in type(part).__mro__:
            package = base.__module__.partition(".")[0]
            names += distributions.get(package, [])[:1]
    return {name: version(name) for name in dict.fromkeys(names)}
