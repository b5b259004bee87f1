"""App settings as Core Tools gives them to a worker: local.settings.json's Values, the environment over them."""

import json
from collections.abc import MutableMapping
from pathlib import Path

from emulators.functions_host.errors import AppRefused


def apply_settings(path: Path, environment: MutableMapping[str, str]) -> None:
    """Put the `Values` of the file at `path` into `environment` where a name is not there yet; no file, no change.

    Raises AppRefused when the file is not JSON, is encrypted, or holds a value that isn't a string.
    """
    if not path.exists():
        return
    try:
        document = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise AppRefused(f"{path} is not JSON: {error}") from error
    if document.get("IsEncrypted"):
        raise AppRefused(f"{path} is encrypted: run `func settings decrypt`, or write the values plainly")
    for name, value in document.get("Values", {}).items():
        if not isinstance(value, str):
            raise AppRefused(f"{path}: Values.{name} is a {type(value).__name__}: app settings are strings")
        environment.setdefault(name, value)
