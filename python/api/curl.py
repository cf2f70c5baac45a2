"""Commands: what to paste into a shell to request a prediction from the service."""

import json
import shlex
from collections.abc import Sequence

from python.model.base import Model

KEY_HEADER = "Authorization: Bearer $API_KEY"


def curl_command(
    model: Model,
    root: str,
    flags: Sequence[str],
    *,
    needs_key: bool = False,
) -> str:
    """Return a shell command that requests the prediction of the model's example record.

    `root` is the URL of the service, and the flags are `proba` and `explain`. The key is taken from
    the shell's own API_KEY, so that the command holds no secret.
    """
    url = f"{root}/predict"
    if flags:
        url += "?" + "&".join(f"{flag}=1" for flag in flags)
    body = json.dumps(model.example())
    header = f'-H "{KEY_HEADER}" ' if needs_key else ""
    return f"curl {header}-d {shlex.quote(body)} {shlex.quote(url)}"
