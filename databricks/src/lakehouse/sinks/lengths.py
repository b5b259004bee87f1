"""How long a text column may get: as its table says, or as the contract says of the column that it repeats."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from lakehouse.pipelines.table import Column
from lakehouse.sinks.tables import WINDOW

_VERSION = re.compile(r"(?P<name>\w+)\.v\d+\.schema\.json")


class UnboundedText(ValueError):
    """A text column that nothing bounds, or that its contract allows to be longer than its table says."""


def length_of(column: Column) -> int:
    """Give the greatest number of characters of a text column; raises UnboundedText."""
    source, _, name = column.of.partition(".")
    bounds = [_bound(name, properties) for properties in _contracts(source)] if source else []
    greatest = max((bound for bound in bounds if bound is not None), default=0)
    if column.length is None:
        if not greatest or None in bounds:
            raise UnboundedText("nothing bounds this text; give the column a length, or what it repeats a maxLength.")
        return greatest
    if None in bounds or greatest > column.length:
        raise UnboundedText(f"{column.of} may be longer than {column.length} characters; its contract must say less.")
    return column.length


def _bound(name: str, properties: Mapping[str, Any]) -> int | None:
    """Give the bound that one version of a contract sets, None where it sets none; 0 where it has no such property."""
    if name not in properties:
        return _window_length() if name == WINDOW else 0
    rule = properties[name]
    if "enum" in rule:
        return max(len(value) for value in rule["enum"] if isinstance(value, str))
    bound: int | None = rule.get("maxLength")
    return bound


@cache
def _contracts(source: str) -> tuple[Mapping[str, Any], ...]:
    """Read the properties of every version of a stream's contract, or of a lookup's."""
    folder = files("lakehouse").joinpath("contracts")
    entries = [*folder.iterdir(), *folder.joinpath("lookups").iterdir()]
    own = [entry for entry in entries if (match := _VERSION.fullmatch(entry.name)) and match["name"] == source]
    return tuple(json.loads(entry.read_text(encoding="utf-8"))["properties"] for entry in own)


@cache
def _window_length() -> int:
    grammar = files("lakehouse").joinpath("contracts", "documents", "grammar.v1.schema.json")
    length: int = json.loads(grammar.read_text(encoding="utf-8"))["$defs"][WINDOW]["maxLength"]
    return length
