"""The packages of the image: locked with their hashes, where the lock is of these requirements.

`python -m python.production.packages lock` writes `requirements.lock` with uv, for every Python
that is supported. The Dockerfile runs this file with `install`, before the rest of the project is
there.
"""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REQUIREMENTS = ("requirements-service.txt", "requirements.txt")
LOCK = "requirements.lock"
OLDEST_PYTHON = "3.11"
HEADER = "# `make lock` wrote this file with the hashes of the packages of the image.\n"
DIGEST = "# It is of the requirements with the SHA-256 {}.\n"
STALE = (
    f"{LOCK} is not of these requirements: they are installed in any versions that fit, "
    "without hashes. `make lock` writes it anew."
)


def main(verb: str, *options: str) -> None:
    """Run `install`, or `lock` with options for uv; exit with its status if a program fails."""
    folder = Path.cwd()
    try:
        if verb == "lock":
            lock(folder, options)
        else:
            install(folder)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


def install(folder: Path) -> None:
    """Install the packages of a folder's lock, or of its requirements, and say which.

    Raises CalledProcessError if pip fails.
    """
    if is_current(folder):
        say(f"Installing {LOCK}, and nothing that has another hash")
        arguments = ["--require-hashes", "--requirement", LOCK]
    else:
        say(STALE)
        arguments = list_requirements()
    pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir"]
    subprocess.run([*pip, *arguments], cwd=folder, check=True)  # noqa: S603


def say(sentence: str) -> None:
    """Write a line before those that pip will write."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def lock(folder: Path, options: Sequence[str]) -> None:
    """Write the lock of a folder's requirements; versions in it that still fit are kept.

    Raises CalledProcessError if uv fails, and leaves the lock as it was.
    """
    uv = [
        str(Path(sys.executable).with_name("uv")),
        "pip",
        "compile",
        "--quiet",
    ]
    wanted = ["--universal", "--python-version", OLDEST_PYTHON]
    # Where somebody's packages come from is no matter of the file.
    form = ["--generate-hashes", "--no-header", "--no-config"]
    written = ["--output-file", LOCK, *REQUIREMENTS]
    subprocess.run(  # noqa: S603
        [*uv, *wanted, *form, *options, *written], cwd=folder, check=True
    )
    path = folder / LOCK
    header = HEADER + DIGEST.format(digest_of(folder))
    path.write_text(header + path.read_text())


def is_current(folder: Path) -> bool:
    """Return whether a folder has a lock that was made for its requirements."""
    path = folder / LOCK
    if not path.exists():
        return False
    return DIGEST.format(digest_of(folder)) in path.read_text()


def digest_of(folder: Path) -> str:
    """Return the SHA-256 of a folder's requirements, without comments and blank lines."""
    lines = []
    for name in REQUIREMENTS:
        for line in (folder / name).read_text().splitlines():
            requirement = line.partition("#")[0].strip()
            if requirement:
                lines.append(requirement)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def list_requirements() -> list[str]:
    """Return the files of the requirements as arguments of pip."""
    arguments = []
    for name in REQUIREMENTS:
        arguments += ["--requirement", name]
    return arguments


if __name__ == "__main__":
    main(*sys.argv[1:])
