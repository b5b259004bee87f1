"""The part of JSON Schema that triggers use: a value is held against it as the Request trigger does.

The wording of complaints follows that of Newtonsoft's validator, which Azure's `TriggerInputSchemaMismatch` quotes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

type Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_NAMES: Final = {dict: "Object", str: "String", int: "Integer", float: "Number", type(None): "Null", bool: "Boolean"}


class UnknownSchema(Exception):
    """A schema with a keyword or type that is not understood here; the text names it."""


def check_schema(schema: Schema, place: str = "the schema") -> None:
    """Raise UnknownSchema for what `complaints` would not check."""
    if unknown := sorted(set(schema) - set(_RULES)):
        raise UnknownSchema(f"{place} has {', '.join(unknown)}; understood are {', '.join(_RULES)}")
    if unknown := sorted(set(_types(schema)) - set(_TYPES)):
        raise UnknownSchema(f"{place} has the type {', '.join(unknown)}; understood are {', '.join(_TYPES)}")
    for name, inner in schema.get("properties", {}).items():
        check_schema(inner, f"{place} of {name}")


def complaints(value: Any, schema: Schema, place: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Give what is wrong with a value, each as one sentence; after a wrong type nothing else is checked."""
    allowed = _types(schema)
    if allowed and not any(_is(value, name) for name in allowed):
        wanted = ", ".join(name.capitalize() for name in allowed)
        yield f"Invalid type. Expected {wanted} but got {_NAMES.get(type(value), 'Array')}.{_at(place)}"
        return
    for rule, check in _RULES.items():
        if rule in schema:
            yield from check(value, schema[rule], place)


def _types(schema: Schema) -> tuple[str, ...]:
    found = schema.get("type", ())
    return (found,) if isinstance(found, str) else tuple(found)


def _is(value: Any, name: str) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, _TYPES[name]) and not isinstance(value, bool)


def _check_nothing(_value: Any, _rule: Any, _place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    return iter(())


def _check_required(value: Any, names: list[str], place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    missing = [name for name in names if isinstance(value, dict) and name not in value]
    if missing:
        yield f"Required properties are missing from object: {', '.join(missing)}.{_at(place)}"


def _check_properties(value: Any, properties: Mapping[str, Schema], place: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, dict):
        for name, schema in properties.items():
            if name in value:
                yield from complaints(value[name], schema, f"{place}.{name}".lstrip("."))


def _check_enum(value: Any, values: list[Any], place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if value not in values:
        yield f"Value is not defined in enum.{_at(place)}"


def _check_pattern(value: Any, pattern: str, place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str) and not re.search(pattern, value):
        yield f"String does not match regex pattern '{pattern}'.{_at(place)}"


def _check_least(value: Any, least: int, place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str) and len(value) < least:
        yield f"String is less than minimum length of {least}.{_at(place)}"


def _check_most(value: Any, most: int, place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str) and len(value) > most:
        yield f"String exceeds maximum length of {most}.{_at(place)}"


def _at(place: str) -> str:
    return f" Path '{place}'." if place else ""


_RULES: Final[Mapping[str, Callable[[Any, Any, str], Iterator[str]]]] = {
    "type": _check_nothing,
    "required": _check_required,
    "properties": _check_properties,
    "enum": _check_enum,
    "pattern": _check_pattern,
    "minLength": _check_least,
    "maxLength": _check_most,
}
