"""The API keys: their names, and the file of them, which is read again when it changes.

A key is known by its name alone: what is kept is its SHA-256, and no sentence repeats it.
"""

import json
import logging
import os
import re
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from python.settings import PROJECT, Settings, SettingsError

log = logging.getLogger(__name__)

DEFAULT_NAME = "default"  # of the key in API_KEY
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
BLANKS = " \t\r"  # before and behind a name or a key, which are no part of it
MAX_FILE_BYTES = 64 * 1024
SECONDS_BETWEEN_LOOKS = 1
# A file that has changed within a second may still be half written.
SECONDS_TO_SETTLE = 1

Digests: TypeAlias = dict[str, bytes]
"""The SHA-256 of each key, by the key's name."""

Look: TypeAlias = tuple[int, ...]
"""What a file looks like from outside; another content looks different."""


class Keys:
    """The keys of the settings, and those of the file as it is now.

    A file that can no longer be used changes nothing: the keys that it had are good, and one line
    of the log says why.
    """

    def __init__(self, settings: Settings, memory: Path | None = None) -> None:
        """Read the keys; raise SettingsError, in a sentence without a key, if one is faulty.

        `memory` is a file in which processes that serve together keep the last keys that were good.
        One that starts while the file of keys is faulty takes those.
        """
        self._fixed: Digests = {}
        if settings.api_key:
            add_key(self._fixed, DEFAULT_NAME, settings.api_key, "API_KEY")
        if settings.api_keys:
            add_keys(self._fixed, list_entries(settings.api_keys))
        self._digests = self._fixed
        self._memory = memory
        self._file: Path | None = None
        self._look: Look = ()
        self._looked_at = time.monotonic()
        self._looking = Lock()
        if settings.api_key_file:
            self._file = PROJECT / settings.api_key_file
            self._look = look_at(self._file)
            self._digests = self._begin(self._file)

    def find_client(self, key: bytes) -> str:
        """Return the name of a key, or "" if it is none of them.

        How long that takes says nothing of the keys: all of them are compared, each in constant
        time.
        """
        self._look_again()
        sent = sha256(key).digest()
        found = ""
        for name, digest in self._digests.items():
            if compare_digest(sent, digest):
                found = name
        return found

    def _look_again(self) -> None:
        """Read the file if it has changed, and at most once a second look whether it has."""
        if self._file is None:
            return
        now = time.monotonic()
        if now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return
        # Another thread that is looking is enough.
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._looked_at = now
            self._update(self._file)
        finally:
            self._looking.release()

    def _update(self, file: Path) -> None:
        look = look_at(file)
        if look == self._look or is_fresh(file):
            return
        self._look = look
        try:
            self._digests = self._read_file(file)
        except SettingsError as error:
            log.error("%s; the keys that it had stay good", error)
        else:
            log.info("API_KEY_FILE: read again, %d keys", len(self._digests))

    def _begin(self, file: Path) -> Digests:
        """Return all keys, with those that the file had if it can no longer be used."""
        try:
            return self._read_file(file)
        except SettingsError as error:
            digests = recall(self._memory)
            if not digests:
                raise
            log.error("%s; the keys that it had stay good", error)
            return digests

    def _read_file(self, file: Path) -> Digests:
        """Return all keys, with those in the file; raise SettingsError if it cannot be used."""
        digests = dict(self._fixed)
        add_keys(digests, read_entries(file))
        remember(self._memory, digests)
        return digests


def remember(memory: Path | None, digests: Digests) -> None:
    """Keep the digests in a file that only this user can read; without room there is none."""
    if memory is None:
        return
    texts = {name: digest.hex() for name, digest in digests.items()}
    beside = memory.with_suffix(f".{os.getpid()}")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(texts))
        beside.replace(memory)
    except OSError:
        with suppress(OSError):
            beside.unlink()
            memory.unlink()  # it has keys that may no longer be good


def recall(memory: Path | None) -> Digests:
    """Return the digests that were kept last; none where there is no such file."""
    if memory is None:
        return {}
    digests = {}
    try:
        for name, text in json.loads(memory.read_text()).items():
            digests[name] = bytes.fromhex(text)
    except (OSError, ValueError):
        return {}
    return digests


def add_keys(digests: Digests, entries: Mapping[str, str]) -> None:
    """Add the keys of entries such as `name=key`, which are there by their places.

    Raises SettingsError if one is faulty.
    """
    for place, entry in entries.items():
        name, equals, key = entry.partition("=")
        name = name.strip(BLANKS)
        if not equals or not NAME.fullmatch(name):
            raise SettingsError(
                f"{place} has no name of at most 64 letters and digits of ASCII, "
                "points, underscores and hyphens, and = behind it"
            )
        add_key(digests, name, key.strip(BLANKS), place)


def add_key(digests: Digests, name: str, key: str, place: str) -> None:
    """Add a key by its name; raise SettingsError if it is faulty, or there already.

    The error has the place and not the name: somebody may have put the key before the name.
    """
    if not key:
        raise SettingsError(f"{place} is empty")
    if not key.isascii() or not key.isprintable():
        raise SettingsError(
            f"{place} has characters that are not ASCII, or that control"
        )
    if name in digests:
        raise SettingsError(f"{place} has the same name as one before")
    digest = sha256(key.encode()).digest()
    if digest in digests.values():
        raise SettingsError(
            f"{place} is the same as one before, by another name"
        )
    digests[name] = digest


def list_entries(api_keys: str) -> dict[str, str]:
    """Return the entries of API_KEYS by their places."""
    entries = {}
    for number, entry in enumerate(api_keys.split(","), start=1):
        entries[f"API_KEYS: key {number}"] = entry
    return entries


def read_entries(file: Path) -> dict[str, str]:
    """Return the entries of a file of keys by their places.

    Raises SettingsError if it cannot be read, or has none.
    """
    entries = {}
    # Any byte is a character of Latin-1; one that is not ASCII is refused with its line.
    lines = read_bytes(file).decode("latin1").split("\n")
    for number, line in enumerate(lines, start=1):
        entry = line.strip(BLANKS)
        if entry and not entry.startswith("#"):
            entries[f"API_KEY_FILE: the key in line {number}"] = entry
    if not entries:
        raise SettingsError("API_KEY_FILE: the file has no key")
    return entries


def read_bytes(file: Path) -> bytes:
    """Return what is in a file of keys; raise SettingsError if it cannot be read."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise SettingsError("API_KEY_FILE: it is no file")
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SettingsError(
            f"API_KEY_FILE: the file cannot be read: {reason}"
        ) from None
    if len(content) > MAX_FILE_BYTES:
        raise SettingsError(
            f"API_KEY_FILE: the file has more than {MAX_FILE_BYTES} bytes"
        )
    return content


def look_at(file: Path) -> Look:
    """Return what the file looks like, which is empty where it cannot be found."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,  # of a change of permissions
    )


def is_fresh(file: Path) -> bool:
    """Return whether the file has been written to within the last second."""
    try:
        age = time.time() - file.stat().st_mtime
    except OSError:
        return False
    # One from the future, by a clock that was wrong, is not waited for.
    return 0 <= age < SECONDS_TO_SETTLE
