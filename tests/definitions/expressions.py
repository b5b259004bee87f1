"""Data Factory's expressions, as far as the pipelines use them: what one gives for given parameters and answers.

They read as Python does, but for the names `and`, `or` and `not`. The functions are those of
learn.microsoft.com/azure/data-factory/control-flow-expression-language-functions.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONES = {"E. South America Standard Time": ZoneInfo("America/Sao_Paulo")}
"""Windows' names of time zones, as CLDR's windowsZones.xml maps them."""

_FORMATS = {"yyyyMMddTHHmmssZ": "%Y%m%dT%H%M%SZ", "yyyy-MM-ddTHH:mm:ssZ": "%Y-%m-%dT%H:%M:%SZ"}


class Answer(dict):
    """A JSON object whose members are read by a dot."""

    def __getattr__(self, name: str) -> Any:
        return _answer(self[name])


def evaluated(expression: str, **known: Any) -> Any:
    """Give an expression's value. known: what `pipeline`, `variables`, `activity`, `trigger` and `item` give."""
    body = expression[2:-1] if expression.startswith("@{") else expression.removeprefix("@")
    python = re.sub(r"\b(and|or|not)\(", r"\1_(", body)
    given = {name: lambda *key, value=value: _answer(value[key[0]] if key else value) for name, value in known.items()}
    return eval(python, {"__builtins__": {}}, _FUNCTIONS | given)


def _answer(value: Any) -> Any:
    if isinstance(value, list):
        return [_answer(item) for item in value]
    return Answer(value) if isinstance(value, dict) else value


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _to_utc(text: str, zone: str, form: str) -> str:
    return _utc(text).replace(tzinfo=ZONES[zone]).astimezone(UTC).strftime(_FORMATS[form])


def _from_utc(text: str, zone: str) -> str:
    return _utc(text).replace(tzinfo=UTC).astimezone(ZONES[zone]).replace(tzinfo=None).isoformat()


_FUNCTIONS = {
    "concat": lambda *texts: "".join(texts),
    "formatDateTime": lambda text, form: _utc(text).strftime(_FORMATS[form]),
    "startOfDay": lambda text: _utc(text).replace(hour=0, minute=0, second=0, microsecond=0).isoformat(),
    "addDays": lambda text, days: (_utc(text) + timedelta(days=days)).isoformat(),
    "convertToUtc": _to_utc,
    "convertFromUtc": _from_utc,
    "ticks": lambda text: (_utc(text) - _utc("0001-01-01")) // timedelta(microseconds=1) * 10,
    "utcnow": lambda: datetime.now(UTC).replace(tzinfo=None).isoformat(),
    "add": lambda one, other: one + other,
    "sub": lambda one, other: one - other,
    "div": lambda one, other: one // other,
    "max": max,
    "split": lambda text, mark: text.split(mark),
    "createArray": lambda *items: list(items),
    "contains": lambda items, item: item in items,
    "empty": lambda value: not value,
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    "length": len,
    "greater": lambda one, other: one > other,
    "greaterOrEquals": lambda one, other: one >= other,
    "equals": lambda one, other: one == other,
    "and_": lambda one, other: one and other,
    "or_": lambda one, other: one or other,
    "not_": lambda value: not value,
}
FUNCTIONS = {name.removesuffix("_") for name in _FUNCTIONS}
