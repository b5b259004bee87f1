"""One app setting, and how the text of one becomes a value; each parser raises ValueError with the rule."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from shared.domain.duration import read_duration

_SECRET: Final = re.compile(
    r"(?:(?:access|account|api[-_]?)key|signature|password|pwd|secret|[?&;](?:sig|code|key|token))\s*=|://[^?#\s]*@",
    re.IGNORECASE,
)
"""How keys, passwords and signatures stand in connection strings, URLs and queries."""

_KEY_VAULT: Final = "@microsoft.keyvault("
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_PLAIN: Final = re.compile(r"[\w.,:*# -]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Setting:
    """One app setting; `default` None means that it must be set.

    secret: its value is a secret, or may hold one; it is shown nowhere.
    """

    name: str
    parse: Callable[[str], Any]
    default: str | None
    meaning: str
    secret: bool = False

    def read(self, written: str) -> Any:  # noqa: ANN401 - each setting has a type of its own
        """Read the value; raises ValueError with the rule, also for a secret where none may be."""
        refuse_unresolved(written)
        if not self.secret and _SECRET.search(written):
            raise ValueError("must not hold a key, a password or a signature; it is not shown here")
        return self.parse(written)

    def excerpt(self, written: str) -> str:
        """Give a wrong value as an error may show it: nothing of a secret, nor of what could be one."""
        return "" if self.secret else excerpt(written)


def refuse_unresolved(written: str) -> None:
    """Raise ValueError where a value is still the reference to a Key Vault, and not the secret that it stands for."""
    if written.strip().lower().startswith(_KEY_VAULT):
        cure = "grant the app's identity the role Key Vault Secrets User, and check that the vault has that secret"
        raise ValueError(f"is a Key Vault reference that was not resolved: {cure}")


def excerpt(written: str) -> str:
    """Give a sentence with a value that is short and plain, and nothing for any other: that may hold a secret."""
    return f" It is {written!r}." if _PLAIN.fullmatch(written) else ""


def text(value: str) -> str:
    """Take any text that is not blank."""
    if not value.strip():
        raise ValueError("must not be blank")
    return value.strip()


def optional_text(value: str) -> str | None:
    """Take any text; blank is None."""
    return value.strip() or None


def duration(value: str) -> timedelta:
    """Read `hh:mm:ss`, with a fraction of the second if wanted."""
    return read_duration(value.strip())


def positive_duration(value: str) -> timedelta:
    """Read a duration above zero."""
    length = duration(value)
    if not length:
        raise ValueError("must be a duration above zero")
    return length


def optional_positive_duration(value: str) -> timedelta | None:
    """Read a duration above zero; blank is None."""
    return positive_duration(value) if value.strip() else None


def whole_seconds(value: str) -> timedelta:
    """Read a duration without a fraction of the second, which no window id could tell."""
    length = duration(value)
    if length.microseconds:
        raise ValueError("must be a duration of whole seconds")
    return length


def positive_whole_seconds(value: str) -> timedelta:
    """Read a duration above zero without a fraction of the second."""
    whole_seconds(value)
    return positive_duration(value)


def time_of_day(value: str) -> time:
    """Read a time of the clock, `hh:mm:ss`."""
    written = _TIME.fullmatch(value.strip())
    if written is None:
        raise ValueError("must be a time of day as hh:mm:ss, from 00:00:00 to 23:59:59")
    hour, minute, second = map(int, written.groups())
    return time(hour, minute, second)


def optional_time_of_day(value: str) -> time | None:
    """Read a time of the clock; blank is None."""
    return time_of_day(value) if value.strip() else None


def positive_number(value: str) -> float:
    """Read a number above zero, at most a million."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= _MOST:
        raise ValueError("must be a number above zero, at most 1000000")
    return number


def number_from_zero(value: str) -> float:
    """Read a number of at least zero, at most a million."""
    return 0.0 if value.strip() == "0" else positive_number(value)


_MOST: Final = 1_000_000


def positive_integer(value: str) -> int:
    """Read a whole number above zero."""
    if not value.strip().isdigit() or int(value) < 1:
        raise ValueError("must be a whole number above zero")
    return int(value)


class WholeNumber:
    """A parser that takes a whole number of a range."""

    def __init__(self, least: int, most: int) -> None:
        """Keep the range."""
        self.least, self.most = least, most

    def __call__(self, value: str) -> int:
        """Read the number."""
        written = value.strip()
        if not _DIGITS.fullmatch(written) or not self.least <= int(written) <= self.most:
            raise ValueError(f"must be a whole number from {self.least} to {self.most}")
        return int(written)


def yes_or_no(value: str) -> bool:
    """Read `true` or `false`, in any case."""
    if value.strip().lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return value.strip().lower() == "true"


def names(value: str) -> tuple[str, ...]:
    """Read a comma-separated list without blanks or repeats."""
    listed = tuple(name.strip() for name in value.split(",") if name.strip())
    if not listed:
        raise ValueError("must name at least one, separated by commas")
    if len(set(listed)) < len(listed):
        raise ValueError("must not name one twice")
    return listed


class OneOf:
    """A parser that takes one of a few words."""

    def __init__(self, *words: str) -> None:
        """Keep the words."""
        self.words = words

    def __call__(self, value: str) -> str:
        """Read one of the words."""
        if value not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return value


class Url:
    """A parser that takes an absolute URL of one of a few schemes."""

    def __init__(self, *schemes: str) -> None:
        """Keep the schemes."""
        self.schemes = schemes

    def __call__(self, value: str) -> str:
        """Read the URL, without a slash at its end."""
        url = value.strip()
        rule = f"must be a URL that begins with {' or '.join(f'{name}://' for name in self.schemes)}"
        parts = split_url(url, rule)
        if parts.scheme not in self.schemes or not parts.hostname or not url.isprintable() or " " in url:
            raise ValueError(rule)
        if "@" in parts.netloc or "?" in url or "#" in url:
            raise ValueError("must be a URL without user, password, query (?) and fragment (#)")
        return url.rstrip("/")


def split_url(url: str, rule: str) -> SplitResult:
    """Split a URL; raises ValueError with the rule for one that has no readable host or port."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it is read from the text at this very moment
    except ValueError:
        raise ValueError(rule) from None
    return parts


def optional_url(*schemes: str) -> "OptionalUrl":
    """Make a parser of a URL that may be absent."""
    return OptionalUrl(*schemes)


class OptionalUrl(Url):
    """A parser of a URL that may be absent."""

    def __call__(self, value: str) -> str | None:  # type: ignore[override]
        """Read the URL; blank is None."""
        return super().__call__(value) if value.strip() else None
