"""A key kept in a file that only this user can read, so that no command line shows it."""

import base64
import secrets
from pathlib import Path

_KEY_BYTES = 32
_ACCOUNT_KEY_BYTES = 64


def make_key() -> str:
    """Draw a fresh key."""
    return secrets.token_urlsafe(_KEY_BYTES)


def make_base64_key() -> str:
    """Draw a fresh key as accounts of Azure have it."""
    return base64.b64encode(secrets.token_bytes(_ACCOUNT_KEY_BYTES)).decode()


def write_key(key: str, path: Path) -> None:
    """Write a key where only this user can read it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(key, encoding="utf-8")


def read_key(path: Path) -> str:
    """Read a key; OSError where the file can't be read, ValueError where it is empty."""
    key = path.read_text(encoding="utf-8").strip()
    if not key:
        raise ValueError(f"{path} is empty: it must hold a key.")
    return key
