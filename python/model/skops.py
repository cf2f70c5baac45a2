"""skops files: models that are loaded without running what the file names.

Only this module imports skops, which is optional. A type that is neither one of skops' own nor
trusted by the operator is refused by its name, before anything of it is made.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

from python.errors import ArtifactError
from python.model.data.json_values import to_json_value
from python.model.data.spelling import one_line

SUFFIX = ".skops"
SCHEMA = "schema.json"
PARTS_OF_EXAMPLES = ("predictions", "probabilities")


def is_skops(file: IO[bytes], name: str) -> bool:
    """Return whether a file is to be loaded with skops: by its name or its content.

    What is called .skops and is a pickle is never unpickled.
    """
    if Path(name).suffix == SUFFIX:
        return True
    try:
        with ZipFile(file) as archive:
            return SCHEMA in archive.namelist()
    except BadZipFile:
        return False
    finally:
        file.seek(0)


def load_skops(file: IO[bytes], name: str, trusted: Sequence[str]) -> Any:
    """Return the content of a file; raise ArtifactError in one sentence."""
    skops = _import_skops(name)
    data = file.read()
    try:
        untrusted = skops.get_untrusted_types(data=data)
    except Exception as error:  # a damaged file can raise anything
        raise ArtifactError(
            f"{name} is no skops file ({one_line(error)})"
        ) from error
    unknown = [item for item in untrusted if item not in trusted]
    if unknown:
        raise ArtifactError(
            f"{name} has types that are not trusted: {', '.join(unknown)}; "
            "name in TRUSTED_TYPES those that you trust"
        )
    try:
        return skops.loads(data, trusted=untrusted)
    except Exception as error:
        raise ArtifactError(
            f"{name} cannot be loaded by skops ({one_line(error)})"
        ) from error


def dump_skops(content: Mapping[str, Any], path: Path) -> list[str]:
    """Write the content of an artifact, and return the types that have to be trusted.

    skops has no DataFrames, so that samples and examples become lists.
    Raises ArtifactError for a model that skops cannot write.
    """
    skops = _import_skops(path.name)
    plain = dict(content)
    if "samples" in plain:
        plain["samples"] = list(_list_records(plain["samples"]))
    if "examples" in plain:
        plain["examples"] = _make_plain(plain["examples"])
    try:
        data = skops.dumps(plain)
    except Exception as error:
        raise ArtifactError(
            f"skops cannot write the model ({one_line(error)}): write model.joblib"
        ) from error
    path.write_bytes(data)
    types: list[str] = skops.get_untrusted_types(data=data)
    return types


def _make_plain(examples: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = dict(examples)
    plain["records"] = list(_list_records(examples["records"]))
    for part in PARTS_OF_EXAMPLES:
        if hasattr(plain.get(part), "tolist"):
            plain[part] = plain[part].tolist()
    return plain


def _list_records(table: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a DataFrame as JSON has them."""
    for row in table.to_dict("records"):
        yield {name: to_json_value(value) for name, value in row.items()}


def _import_skops(name: str) -> ModuleType:
    try:
        import skops.io
    except ImportError as error:
        raise ArtifactError(
            f"{name} needs the package skops: add it to requirements.txt"
        ) from error
    module: ModuleType = skops.io
    return module
