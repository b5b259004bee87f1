"""One app setting, and how the text of one becomes a value; each parser raises ValueError with the rule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.domain.duration import read_duration


@dataclass(frozen=True, slots=True)
class Setting:
    """One app setting; `default` None means that it must be set."""

    name: str
    parse: Callable[[str], Any]
    default: str | None
    meaning: str


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


def positive_number(value: str) -> float:
    """Read a finite number above zero."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("must be a number above zero")
    return number


def positive_integer(value: str) -> int:
    """Read a whole number above zero."""
    if not value.strip().isdigit() or int(value) < 1:
        raise ValueError("must be a whole number above zero")
    return int(value)


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
        parts = urlsplit(value.strip())
        if parts.scheme not in self.schemes or not parts.hostname:
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{name}://' for name in self.schemes)}")
        return value.strip().rstrip("/")


def optional_url(*schemes: str) -> "OptionalUrl":
    """Make a parser of a URL that may be absent."""
    return OptionalUrl(*schemes)


class OptionalUrl(Url):
    """A parser of a URL that may be absent."""

    def __call__(self, value: str) -> str | None:  # type: ignore[override]
        """Read the URL; blank is None."""
        return super().__call__(value) if value.strip() else None
