"""Personal data: the tokens that stand in its place in the lake, and the keys that they are made with.

The first key makes a token of a value: base64url of HMAC-SHA-256 of `<kind>:<value>`. Each later key makes one of the
token before it. So a row that was made with older keys is brought up to the newest without its clear text, and the same
value has the same token in every table, however often a key was added.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from hmac import digest
from typing import Any

import pyarrow as pa

KEY_VERSION = "pii_key_version"
"""The column that says up to which key a row's tokens are made."""

TOKEN_LENGTH = 43
"""Characters of a token: 32 bytes in base64url without padding."""

_VERSION = re.compile(r"[\w.-]{1,32}", re.ASCII)
_LEAST_KEY_BYTES = sha256().digest_size


class BadKeys(ValueError):
    """Keys of tokens that can't be used; the text never shows one."""


class KeysMissing(Exception):
    """A lookup has personal columns, and nobody gave the keys of their tokens."""


@dataclass(frozen=True, slots=True)
class PiiKeys:
    """The keys by version, in the order in which they were added: none may ever be taken away."""

    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def current(self) -> str:
        """Give the version of the newest key, with which all new tokens are made."""
        return [*self.keys][-1]

    def token(self, kind: str, value: object) -> str | None:
        """Make the token of a value; None where there is no value, or nothing but blanks.

        kind: what the value is, the name of its column: `cpf` in one table is the same kind as `cpf` in another.
        """
        text = "" if value is None else normalised(kind, value)
        return self._with(self.keys.values(), f"{kind}:{text}") if text else None

    def renewed(self, token: str | None, version: str) -> str | None:
        """Bring a token that was made with the keys up to `version` up to the newest one; raises BadKeys."""
        self.refuse_unknown([version])
        versions = list(self.keys)
        later = versions[versions.index(version) + 1 :]
        return None if token is None else self._with([self.keys[one] for one in later], token)

    def refuse_unknown(self, versions: Iterable[str]) -> None:
        """Raise BadKeys where a version is none of these keys'."""
        unknown = sorted(set(versions) - set(self.keys))
        if unknown:
            raise BadKeys(
                f"There are tokens that were made with the keys {unknown}, and the secret has only {[*self.keys]}: "
                "put the missing keys back at their place; a key is never taken away, a new one is added at the end."
            )

    @staticmethod
    def _with(keys: Iterable[bytes], text: str) -> str:
        for key in keys:
            text = base64.urlsafe_b64encode(digest(key, text.encode(), "sha256")).decode().rstrip("=")
        return text


def normalised(kind: str, value: object) -> str:
    """Write a value as its token is made of it: what is the same to people gives the same token.

    Dates in ISO 8601, of a `cpf` the digits, an `email` without regard to capitals, other texts without blanks at
    their ends; all of them in Unicode's composed form.
    """
    if isinstance(value, date):
        return value.isoformat()
    text = unicodedata.normalize("NFC", str(value)).strip()
    return _RULES[kind](text) if kind in _RULES else text


def parse_pii_keys(text: str) -> PiiKeys:
    """Read the secret: `{"keys": [{"version": "v1", "key": "<base64 of 32 bytes or more>"}, …]}`, the newest last.

    Raises BadKeys.
    """
    document = _json(text)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadKeys('The keys of tokens must be JSON: {"keys": [{"version": "v1", "key": "<base64>"}]}.')
    pairs = [_pair(number, entry) for number, entry in enumerate(entries)]
    if len(dict(pairs)) < len(pairs):
        raise BadKeys("The keys of tokens have a version twice; each new key needs a version of its own.")
    return PiiKeys(dict(pairs))


def tokenised(rows: pa.Table, personal: Iterable[str], keys: PiiKeys) -> pa.Table:
    """Put tokens in the place of personal columns, and the keys' version beside them."""
    for name in personal:
        tokens = [keys.token(name, value) for value in rows[name].to_pylist()]
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(tokens, pa.string()))
    return rows.append_column(KEY_VERSION, pa.array([keys.current] * len(rows), pa.string()))


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    """The parser's own exception would hold the text, and so the keys."""
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return None


def _pair(number: int, entry: object) -> tuple[str, bytes]:
    place = f"keys[{number}]"
    if not isinstance(entry, dict) or set(entry) != {"version", "key"}:
        raise BadKeys(f'{place} of the keys of tokens must be an object of "version" and "key", and nothing else.')
    version, key = entry["version"], _bytes(entry["key"])
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise BadKeys(f"{place}.version of the keys of tokens must be letters, digits, dots and dashes, at most 32.")
    if len(key) < _LEAST_KEY_BYTES:
        raise BadKeys(f"{place}.key of the keys of tokens must be base64 of at least {_LEAST_KEY_BYTES} random bytes.")
    return version, key


def _bytes(text: object) -> bytes:
    """Read base64 of either alphabet, with or without padding; nothing where it is none."""
    if not isinstance(text, str):
        return b""
    plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    with suppress(ValueError):
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    return b""


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())


_RULES: Mapping[str, Callable[[str], str]] = {"cpf": _digits, "email": str.casefold}
