"""`local.settings.json`, which `func start` reads: made from the sample, pointed at the platform that runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class SettingsFileUnusable(Exception):
    """The settings file or its sample can't be read, or may not be written."""


def merge_settings(path: Path, sample: Path, settings: Mapping[str, str]) -> list[str]:
    """Put `settings` into the `Values` of the file at `path` and return the names whose value changed.

    The file begins as a copy of `sample` where it does not exist; every other value in it stays as it is. Only this
    user can read the result.
    """
    document = read_settings(path if path.exists() else sample)
    values = document["Values"]
    changed = [name for name, value in settings.items() if values.get(name) != value]
    values.update(settings)
    _replace(path, json.dumps(document, indent=2) + "\n")
    return changed


def read_settings(path: Path) -> dict[str, Any]:
    """Read a settings file; SettingsFileUnusable where it is no JSON object with plain `Values`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsFileUnusable(f"{path} can't be read as JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Values"), dict):
        raise SettingsFileUnusable(f'{path} has no "Values" object: compare it with local.settings.sample.json.')
    if document.get("IsEncrypted"):
        raise SettingsFileUnusable(f"{path} is encrypted: run `func settings decrypt`, or remove the file.")
    return document


def _replace(path: Path, text: str) -> None:
    written = path.with_name(f"{path.name}.new")
    written.unlink(missing_ok=True)
    written.touch(mode=0o600)
    written.write_text(text, encoding="utf-8")
    written.replace(path)
