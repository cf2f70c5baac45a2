"""The groups of artifacts, in the order of the table."""

from importlib import import_module

MODULES = [
    "tutorials",
    "texts",
    "integers",
    "booleans",
    "dates",
    "missing",
    "names",
    "boosters",
    "examples",
    "outputs",
    "dtypes",
    "own_code",
    "older",
    "third_party",
]


def load() -> None:
    """Import every module of groups, which registers its artifacts."""
    for module in MODULES:
        import_module(f"{__name__}.{module}")
