"""Versions: the packages that a model was fitted with, beside those that are installed."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version


def find_installed(package: str) -> str | None:
    """Return the version of a package, called as pip calls it; None where it is not installed."""
    try:
        return version(package)
    except (PackageNotFoundError, ValueError):
        return None


def describe_versions(
    fitted_with: Mapping[str, str],
) -> list[dict[str, str | None]]:
    """Return for each package the version that the model was fitted with, and the installed one."""
    versions: list[dict[str, str | None]] = []
    for package, fitted_version in fitted_with.items():
        versions.append(
            {
                "package": package,
                "fitted_with": fitted_version,
                "installed": find_installed(package),
            }
        )
    return versions


def explain_version(package: str, fitted_with: str) -> str:
    """Return in half a sentence that a package has another version than the model."""
    installed = find_installed(package)
    if installed is None:
        return f"fitted with {package} {fitted_with}, which is not installed"
    return f"fitted with {package} {fitted_with}, served with {installed}: answers may differ"


def refuse_versions(other_versions: Mapping[str, str]) -> str:
    """Return in a sentence that other versions are installed than were wanted, and the cures."""
    found = []
    pinned = []
    for package, fitted_with in other_versions.items():
        installed = find_installed(package) or "not installed"
        found.append(f"{package} {fitted_with} (here {installed})")
        pinned.append(f"{package}=={fitted_with}")
    return (
        f"the model was fitted with {' and '.join(found)}: put {' and '.join(pinned)} into "
        "requirements.txt, fit it again, or set STRICT_VERSIONS=0"
    )
