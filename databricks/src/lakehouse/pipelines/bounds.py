"""What the contracts say of columns that gold tables repeat."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

type Bounds = Mapping[str, Mapping[str, int | None]]
"""By stream or lookup, by column: the greatest length of its texts; None where there is none, and for other columns."""

_FILE = re.compile(r"(?P<name>\w+)\.v\d+\.schema\.json")


@dataclass(frozen=True, slots=True)
class Contracts:
    """The columns of all streams and of all lookups."""

    streams: Bounds
    lookups: Bounds


def wheel_contracts() -> Contracts:
    """Read the contracts that the wheel carries."""
    folder = files("lakehouse").joinpath("contracts")
    return Contracts(bounds_of(_documents(folder)), bounds_of(_documents(folder.joinpath("lookups"))))


def bounds_of(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Bounds:
    """Take the columns of JSON Schemas, of each name all versions: a bound holds where each of them has one."""
    found: dict[str, dict[str, int | None]] = {}
    for name, document in documents:
        columns = found.setdefault(name, {})
        for column, rule in document["properties"].items():
            bound = _bound(rule)
            columns[column] = _wider(columns[column], bound) if column in columns else bound
    return found


def _documents(folder: Traversable) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for entry in folder.iterdir():
        if match := _FILE.fullmatch(entry.name):
            yield match["name"], json.loads(entry.read_text("utf-8"))


def _bound(rule: Mapping[str, Any]) -> int | None:
    texts = [value for value in rule.get("enum", ()) if isinstance(value, str)]
    bound: int | None = rule.get("maxLength", max(map(len, texts)) if texts else None)
    return bound


def _wider(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
