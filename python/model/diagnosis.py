"""Diagnosis: why a model file cannot be loaded, in a sentence that names a cure that works."""

import bz2
import lzma
import platform
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import (
    PackageNotFoundError,
    packages_distributions,
    version,
)
from importlib.util import find_spec
from pickle import UnpicklingError
from traceback import walk_tb
from typing import IO, Any

from python.model.data.spelling import one_line

LZ4_PREFIX = b"\x04\x22\x4d\x18"
PREFIX_BYTES = 32
CHUNK_BYTES = 64 * 1024
OVERLAP_BYTES = 256  # more than a name and a version take in a pickle

# Files of other kinds, by how they begin.
OTHER_KINDS = {
    b"\x28\xb5\x2f\xfd": "is compressed with zstd, which joblib does not read: "
    "write it with joblib.dump(..., compress=3)",
    b"PK\x03\x04": "is a ZIP archive: write the model with joblib.dump",
    b"\x89HDF": "is an HDF5 file: write the model with joblib.dump",
    b"version https://git-lfs": "is a pointer of Git LFS and not the file itself: run git lfs pull",
    b"<": "is a page of HTML or XML and not the file itself: download it again",
}

# zlib reads its own format and gzip's.
DECOMPRESSORS: dict[bytes, Callable[[], Any]] = {
    b"\x78": lambda: zlib.decompressobj(zlib.MAX_WBITS | 32),
    b"\x1f\x8b": lambda: zlib.decompressobj(zlib.MAX_WBITS | 32),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ": lzma.LZMADecompressor,
    b"\x5d\x00": lzma.LZMADecompressor,
}

# What pip calls the packages that are no code of the user's own.
DISTRIBUTIONS = {
    "catboost": "catboost",
    "category_encoders": "category-encoders",
    "cloudpickle": "cloudpickle",
    "dill": "dill",
    "feature_engine": "feature-engine",
    "imblearn": "imbalanced-learn",
    "interpret": "interpret",
    "lightgbm": "lightgbm",
    "mapie": "mapie",
    "ngboost": "ngboost",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "sklearn": "scikit-learn",
    "sklearn_pandas": "sklearn-pandas",
    "skopt": "scikit-optimize",
    "skrub": "skrub",
    "sksurv": "scikit-survival",
    "statsmodels": "statsmodels",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "xgboost": "xgboost",
}


def diagnose(file: IO[bytes], error: Exception) -> str:
    """Return why the file, which raised this error, cannot be loaded, and what to do.

    It is what follows the file's name in a sentence.
    """
    prefix = _read_prefix(file)
    if prefix.startswith(LZ4_PREFIX) and not _is_importable("lz4"):
        return "is compressed with lz4, which is not installed: add lz4 to requirements.txt"
    for beginning, kind in OTHER_KINDS.items():
        if prefix.startswith(beginning):
            return kind
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing_module(file, error.name)
    if isinstance(error, AttributeError):
        place = _missing_name(error)
        if place is not None:
            return _missing_code(file, *place)
    return _unreadable(file, error)


def version_cure(package: str, fitted_with: str) -> str:
    """Return that the installed version of a package cannot cope, and what to install instead."""
    served_with = f"fitted with {package} {fitted_with}, served with {_installed(package)}"
    cure = f"put {package}=={fitted_with} into requirements.txt"
    return f"{served_with}, which cannot read it: {cure}"


def advise_versions(other_versions: Mapping[str, str]) -> str:
    """Return that other versions may be why a model predicts something else, and what to install.

    `other_versions` are those that the model was fitted with, by package.
    """
    fitted = []
    pinned = []
    for package, fitted_with in other_versions.items():
        installed = _installed(package)
        fitted.append(f"{package} {fitted_with} (here {installed})")
        pinned.append(f"{package}=={fitted_with}")
    return (
        f"a possible reason is that it was fitted with {' and '.join(fitted)}: "
        f"put {' and '.join(pinned)} into requirements.txt"
    )


def _missing_module(file: IO[bytes], module: str) -> str:
    package = module.partition(".")[0]
    if package in sys.stdlib_module_names or _is_importable(package):
        return _missing_part(file, f"needs the module {module}", package)
    if package in DISTRIBUTIONS:
        return f"needs the package {package}: add {DISTRIBUTIONS[package]} to requirements.txt"
    return (
        f"needs the package {package}: add it to requirements.txt, or, if it is your own code, "
        f"put it into model_code/, or call cloudpickle.register_pickle_by_value({package}) "
        "and write the file with cloudpickle.dump"
    )


def _is_importable(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (
        ValueError
    ):  # it is a module without a specification, such as __main__
        return True


def _missing_name(error: AttributeError) -> tuple[str, str] | None:
    """Return the module and the name in it that the pickle asks for; None if it is another error.

    Versions of Python say it differently: "Can't get attribute 'f' on <module 'm' from ...>",
    "Can't resolve path 'f' on module 'm'", "module 'm' has no attribute 'f'".
    """
    text = str(error).replace("Can't", "Cannot")  # its ' is no quotation mark
    module = re.search(r"module '([^']+)'", text)
    if module is None:
        return None
    for name in re.findall(r"'([^']+)'", text):
        if name != module[1]:
            return module[1], name
    return None


def _missing_code(file: IO[bytes], module: str, name: str) -> str:
    if module in ("__main__", "__mp_main__", _name_of_main()):
        return (
            f"refers to code that is not there: {name}, of the notebook or script that wrote the "
            "file; move it into a module in model_code/, import it from there and fit again, or "
            "write the file with cloudpickle.dump"
        )
    reference = (
        f"refers to code that is not there: {name} in the module {module}"
    )
    return _missing_part(file, reference, module.partition(".")[0])


def _name_of_main() -> str:
    """Return how errors name `__main__` where Python was started with `-m`; "" elsewhere."""
    specification = getattr(sys.modules["__main__"], "__spec__", None)
    return str(getattr(specification, "name", ""))


def _missing_part(file: IO[bytes], fault: str, package: str) -> str:
    """Return what to do where a package is there, but not a part of it."""
    if package in sys.stdlib_module_names:
        fault += f", which Python {platform.python_version()} lacks"
        return f"{fault}: use the version of Python that the model was fitted with"
    distribution = distribution_of(package)
    if distribution is None:
        return f"{fault}: if it is your own code, put it into model_code/, or fit again without it"
    fitted_with = _find_version(file, distribution)
    installed = _installed(distribution)
    if fitted_with is not None and fitted_with != installed:
        return "was " + version_cure(distribution, fitted_with)
    return (
        f"{fault}, which the installed {distribution} {installed} lacks: put the version of "
        f"{distribution} that the model was fitted with into requirements.txt"
    )


def _unreadable(file: IO[bytes], error: Exception) -> str:
    reason = f"joblib cannot load it ({one_line(error)})"
    is_damaged = isinstance(
        error, EOFError | UnpicklingError
    ) or not _is_whole(file)
    if is_damaged:
        return f"is truncated, damaged or something else: {reason}"
    for distribution in (*_raising_distributions(error), "scikit-learn"):
        fitted_with = _find_version(file, distribution)
        if fitted_with is not None and fitted_with != _installed(distribution):
            return "was " + version_cure(distribution, fitted_with)
    return (
        f"is whole, but {reason}: the versions in requirements.txt may not be those that "
        "the model was fitted with"
    )


def _raising_distributions(error: Exception) -> list[str]:
    """Return the package in which an exception was raised, where it is one of pip's."""
    raising_package = ""
    for frame, _ in walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__"))
        raising_package = module.partition(".")[0]
    distribution = distribution_of(raising_package)
    return [] if distribution is None else [distribution]


def distribution_of(package: str) -> str | None:
    """Return what pip calls an installed package; None for a module that is not pip's."""
    if package in DISTRIBUTIONS:
        return DISTRIBUTIONS[package]
    distributions = _installed_packages().get(package)
    return distributions[0] if distributions else None


@cache
def _installed_packages() -> Mapping[str, list[str]]:
    # To read them takes a tenth of a second.
    return packages_distributions()


def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "another version"


def _find_version(file: IO[bytes], distribution: str) -> str | None:
    """Return the version of a package that stands in the file as text; None if there is none.

    scikit-learn writes its own into each estimator; `versions` in the metadata has others.
    """
    keys = [distribution]
    if distribution == "scikit-learn":
        keys.insert(0, "_sklearn_version")
    for key in keys:
        found_version = _find_text_after(file, key)
        if found_version is not None:
            return found_version
    return None


def _find_text_after(file: IO[bytes], key: str) -> str | None:
    """Return the text that follows the key in the pickle, as the value does in a dict.

    A pickle has a text as its length and its bytes, then perhaps an instruction to memorise it.
    """
    pattern = _text_opcode(len(key)) + re.escape(key.encode())
    pattern += rb"(?:\x94|q.|r.{4})?(?:\x8c(.)|X(.)\x00{3})"
    matcher = re.compile(pattern, re.DOTALL)
    for window in _read_windows(file):
        for match in matcher.finditer(window):
            length = ord(match[1] or match[2])
            text = window[match.end() : match.end() + length].decode(
                errors="replace"
            )
            if re.fullmatch(r"\d+(\.\w+)+", text):
                return text
    return None


def _read_windows(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of the file in pieces that overlap."""
    tail = b""
    for chunk in _read_chunks(file):
        window = tail + chunk
        yield window
        tail = window[-OVERLAP_BYTES:]


def _text_opcode(length: int) -> bytes:
    short = rb"\x8c" + re.escape(bytes([length]))
    long = rb"X" + re.escape(bytes([length])) + rb"\x00{3}"
    return rb"(?:" + short + rb"|" + long + rb")"


def _is_whole(file: IO[bytes]) -> bool:
    """Return whether the file ends as a pickle does, with the instruction to stop."""
    last = b""
    for chunk in _read_chunks(file):
        last = chunk[-1:] or last
    return last == b"."


def _read_prefix(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(PREFIX_BYTES)


def _read_chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of the file, decompressed, as far as it can be read."""
    prefix = _read_prefix(file)
    decompressor = None
    for beginning, make_decompressor in DECOMPRESSORS.items():
        if prefix.startswith(beginning):
            decompressor = make_decompressor()
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        if decompressor is None:
            yield chunk
            continue
        try:
            yield decompressor.decompress(chunk)
        except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError):
            return
