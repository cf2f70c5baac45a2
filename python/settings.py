"""The settings: a frozen structure that is read once from the environment."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import msgspec
from msgspec import Meta

PROJECT = Path(__file__).resolve().parent.parent
# One letter more, less or at another place in a name of six letters.
LEAST_RATIO = 0.88
FEWEST_GUESSED, MOST_GUESSED = 6, 40
SWITCH_SYNONYMS = {"yes": "true", "on": "true", "no": "false", "off": "false"}

# SettingsError quotes the descriptions: "PORT: expected a number from 1 to 65535".
Switch = Annotated[bool, Meta(description="0, 1, true, false, yes or no")]
Port = Annotated[
    int, Meta(ge=1, le=65535, description="a number from 1 to 65535")
]
OptionalPort = Annotated[
    int, Meta(ge=0, le=65535, description="a number from 0 to 65535")
]
Positive = Annotated[
    int, Meta(ge=1, description="a whole number of 1 or more")
]
Natural = Annotated[int, Meta(ge=0, description="a whole number of 0 or more")]
Digest = Annotated[
    str,
    Meta(
        pattern="^([0-9a-fA-F]{64})?$",
        description="the 64 hexadecimal digits of a SHA-256",
    ),
]
TypeNames = Annotated[
    str,
    Meta(
        pattern=r"^[\w., ]*$",
        description="the names of types, with commas between them",
    ),
]
Secret = Annotated[
    str,
    Meta(
        pattern=r"^[\x20-\x7e]*$",
        description=(
            "ASCII without control characters, as a header has none of these "
            "and clients send any other character as different bytes"
        ),
    ),
]
Networks = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-fA-F.:/, ]*$",
        description="addresses or networks, with commas between them",
    ),
]
# A browser leaves the usual port of a scheme out.
USUAL_PORT = r"(?i:https://[^,]*:443|http://[^,]*:80)\s*(,|$)"
HOST = r"([a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])"
ORIGIN = rf"(?!{USUAL_PORT})[a-zA-Z][a-zA-Z0-9+.-]*://{HOST}(:[0-9]{{1,5}})?"
Origins = Annotated[
    str,
    Meta(
        pattern=rf"^(\*|{ORIGIN}(\s*,\s*{ORIGIN})*)?$",
        description=(
            "*, or origins such as https://shop.example:8443, with commas between them, "
            "nothing behind the host or its port, and no port that is the usual one"
        ),
    ),
]
Prefix = Annotated[
    str,
    Meta(
        pattern=r"^(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*$",
        description=(
            "a path such as /models/churn, of letters, digits and -._~, "
            "without a slash at its end and without . or .. between slashes"
        ),
    ),
]
Policy = Annotated[
    Literal["reject", "ignore"], Meta(description="reject or ignore")
]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    Meta(description="DEBUG, INFO, WARNING or ERROR"),
]


class SettingsError(ValueError):
    """The environment has values that cannot be used; the text has a line for each of them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting with its type and default; `variables.env` explains why to change it.

    The file has them in this order. What the web room needs of them, `app.make_service` hands to
    it as `api.requests.Limits`.
    """

    debug: Switch = False
    host: str = "127.0.0.1"
    port: Port = 5000
    environment: str = "development"
    model_name: str = "model.joblib"
    model_folder: str = ""
    model_type: str = "SKLEARN_MODEL"
    model_sha256: Digest = ""
    trusted_types: TypeNames = ""
    strict_versions: Switch = False
    unknown_features: Policy = "reject"
    fast_predict: Switch = True
    max_content_length: Positive = 16 * 1024 * 1024
    max_explain_rows: Positive = 1000
    max_explain_seconds: Positive = 10
    max_proof_seconds: Positive = 10
    log_level: Level = "INFO"
    api_key: Secret = ""
    api_keys: Secret = ""
    api_key_file: str = ""
    cors_origins: Origins = ""
    url_prefix: Prefix = ""
    page: Switch = True
    metrics_port: OptionalPort = 0
    metrics_public: Switch = False
    workers: Natural = 0
    threads: Positive = 1
    explain_at_once: Natural = 0
    client_requests: Natural = 200
    client_rate: Natural = 0
    trusted_proxies: Networks = ""
    request_timeout: Positive = 60

    @property
    def model_path(self) -> Path:
        """The path of the model file: `model_name` in `model_folder`, which is in the project."""
        return PROJECT / self.model_folder / self.model_name

    @property
    def needs_key(self) -> bool:
        """Whether clients must send a key."""
        return bool(self.api_key or self.api_keys or self.api_key_file)

    @classmethod
    def read(cls, model_types: Collection[str]) -> Self:
        """Return the settings of `variables.env` and the environment, which takes precedence.

        Raises SettingsError for values that cannot be used.
        """
        return cls.from_environ(read_environ(), model_types)

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        model_types: Collection[str],
    ) -> Self:
        """Return the settings in the environment, where an empty value means the default.

        Raises SettingsError with a line for each value that cannot be used. No line repeats the
        value, which may be a secret.
        """
        values: dict[str, Any] = {}
        faults: list[str] = []
        for field in msgspec.structs.fields(cls):
            name = field.name.upper()
            text = environ.get(name, "").strip()
            if not text:
                continue
            try:
                values[field.name] = convert(text, field.type)
            except msgspec.ValidationError:
                expected = field.type.__metadata__[0].description
                faults.append(f"{name}: expected {expected}")
        settings = cls(**values)
        if settings.model_type not in model_types:
            faults.append(f"MODEL_TYPE: expected {' or '.join(model_types)}")
        if faults:
            raise SettingsError(
                "settings that cannot be used:\n  " + "\n  ".join(faults)
            )
        return settings


def read_environ() -> dict[str, str]:
    """Return the variables of `variables.env` and of the environment, which takes precedence."""
    # A health check, every few seconds, has its settings in the environment.
    from dotenv import dotenv_values  # noqa: PLC0415

    environ: dict[str, str] = {}
    for name, value in dotenv_values(PROJECT / "variables.env").items():
        environ[name] = value or ""
    environ.update(os.environ)
    return environ


def find_misspelt(names: Iterable[str]) -> list[str]:
    """Return a sentence for each variable that has nearly the name of a setting.

    A name must be very close, since an environment has many variables that are none of ours.
    """
    settings = []
    for field in msgspec.structs.fields(Settings):
        settings.append(field.name.upper())
    sentences = []
    for name in sorted(set(names).difference(settings)):
        meant = guess(name.upper(), settings)
        if meant:
            sentences.append(f"{name} is no setting; did you mean {meant}?")
    return sentences


def guess(name: str, settings: Sequence[str]) -> str:
    """Return the setting that a name in capitals was probably meant to be; "" if none is close."""
    if name in settings:
        return name
    # PAGER and PORTS are as close to PAGE and PORT, and no mistakes.
    if not FEWEST_GUESSED <= len(name) <= MOST_GUESSED:
        return ""
    close = get_close_matches(name, settings, n=1, cutoff=LEAST_RATIO)
    return close[0] if close else ""


def convert(text: str, field_type: Any) -> str | int:
    """Return the text as a value of a field's type.

    Raises msgspec.ValidationError if it cannot be one.
    """
    if field_type is Switch:
        text = SWITCH_SYNONYMS.get(text.lower(), text)
    # Unless it is strict, msgspec reads numbers and switches from text. It would also read
    # 60.0 as 60, which nginx and uWSGI do not.
    is_whole_number = get_args(field_type)[:1] == (int,)
    strict = is_whole_number and not text.isdigit()
    converted: str | int = msgspec.convert(text, field_type, strict=strict)
    return converted
