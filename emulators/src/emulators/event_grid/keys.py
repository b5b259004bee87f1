"""The key of the topic, kept in a file so that no command line shows it."""

import secrets
from pathlib import Path

_KEY_BYTES = 32


def make_key() -> str:
    """Draw a fresh key."""
    return secrets.token_urlsafe(_KEY_BYTES)


def write_key(key: str, path: Path) -> None:
    """Write a key where only this user can read it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(key + "\n", encoding="utf-8")


def read_key(path: Path) -> str:
    """Read what `write_key` wrote; ValueError for an empty file."""
    key = path.read_text(encoding="utf-8").strip()
    if not key:
        raise ValueError(f"{path} is empty: it must hold the topic's key.")
    return key
