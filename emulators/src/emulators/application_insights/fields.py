"""The fields of Breeze's types: which are required, what each holds, and how long it may be.

Source: the models of azure-monitor-opentelemetry-exporter, which are made from the service's own definition, for names,
types and what is required; "Azure Monitor service limits" and the data model of learn.microsoft.com for lengths.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulators.application_insights.durations import milliseconds_of

MOST_IN_NAME: Final = 150
MOST_IN_VALUE: Final = 8_192
MOST_IN_MESSAGE: Final = 32_768
MOST_IN_FIELD: Final = 1_024
MOST_IN_ID: Final = 512
MOST_IN_URL: Final = 2_048

_BEYOND_WHOLE: Final = 2**64
SEVERITIES: Final = ("Verbose", "Information", "Warning", "Error", "Critical")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type. holds: what its value must be, a key of the kinds below. most: characters."""

    name: str
    holds: str = "string"
    required: bool = False
    most: int = MOST_IN_FIELD


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, float) or (_is_whole(value) and abs(value) < _BEYOND_WHOLE)


def _is_whole(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, int) and not isinstance(value, bool)


def _is_severity(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return value in SEVERITIES or (_is_whole(value) and 0 <= value < len(SEVERITIES))


_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "double": _is_number,
    "int": _is_whole,
    "bool": lambda value: isinstance(value, bool),
    "duration": lambda value: isinstance(value, str) and milliseconds_of(value) is not None,
    "severity": _is_severity,
    "strings": lambda value: isinstance(value, dict) and all(isinstance(one, str) for one in value.values()),
    "doubles": lambda value: isinstance(value, dict) and all(_is_number(one) for one in value.values()),
    "objects": lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
}

_VERSION: Final = Field("ver", "int", required=True)
_CUSTOM: Final = (Field("properties", "strings"), Field("measurements", "doubles"))

TYPES: Final[Mapping[str, tuple[Field, ...]]] = {
    "MessageData": (
        _VERSION,
        Field("message", required=True, most=MOST_IN_MESSAGE),
        Field("severityLevel", "severity"),
        *_CUSTOM,
    ),
    "MetricData": (_VERSION, Field("metrics", "objects", required=True), Field("properties", "strings")),
    "RequestData": (
        _VERSION,
        Field("id", required=True, most=MOST_IN_ID),
        Field("name"),
        Field("duration", "duration", required=True),
        Field("success", "bool", required=True),
        Field("responseCode", required=True),
        Field("source"),
        Field("url", most=MOST_IN_URL),
        *_CUSTOM,
    ),
    "RemoteDependencyData": (
        _VERSION,
        Field("id", most=MOST_IN_ID),
        Field("name", required=True),
        Field("duration", "duration", required=True),
        Field("success", "bool"),
        Field("resultCode"),
        Field("data", most=MOST_IN_VALUE),
        Field("type"),
        Field("target"),
        *_CUSTOM,
    ),
    "ExceptionData": (
        _VERSION,
        Field("exceptions", "objects", required=True),
        Field("severityLevel", "severity"),
        Field("problemId"),
        *_CUSTOM,
    ),
    "DataPoint": (
        Field("name", required=True, most=MOST_IN_NAME),
        Field("value", "double", required=True),
        Field("ns", most=256),
        Field("count", "int"),
        *(Field(name, "double") for name in ("min", "max", "stdDev")),
    ),
    "ExceptionDetails": (
        Field("message", required=True, most=MOST_IN_MESSAGE),
        Field("typeName"),
        Field("hasFullStack", "bool"),
        Field("stack", most=MOST_IN_MESSAGE),
        Field("parsedStack", "objects"),
    ),
}


def complaints(kind: str, value: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the fields of a value of a type.

    The numbers and words of a missing field (109) and of one that is too long (100) are the service's; those of a
    wrong type were not seen.
    """
    for field in TYPES[kind]:
        yield from _of_field(kind, field, value.get(field.name))


def _of_field(kind: str, field: Field, value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    where = f"Field '{field.name}' on type '{kind}'"
    if value in (None, "", []):
        if field.required:
            yield f"109: {where} is required but missing or empty. Expected: {field.holds}, Actual: undefined"
    elif not _KINDS[field.holds](value):
        yield f"{where} has the wrong type. Expected: {field.holds}, Actual: {type(value).__name__}"
    elif isinstance(value, str):
        yield from too_long(where, value, field.most)
    elif isinstance(value, dict):
        yield from _of_custom(kind, field.name, value)


def too_long(where: str, text: str, most: int) -> Iterator[str]:
    """Complain of a text of more than `most` characters."""
    if len(text) > most:
        yield f"100: {where} is too long. Expected: {most} characters, Actual: {len(text)}"


def _of_custom(kind: str, name: str, values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        yield from too_long(f"Field '{name}' on type '{kind}': the name '{key[:MOST_IN_NAME]}…'", key, MOST_IN_NAME)
        if isinstance(value, str):
            yield from too_long(f"Field '{name}.{key[:MOST_IN_NAME]}' on type '{kind}'", value, MOST_IN_VALUE)
