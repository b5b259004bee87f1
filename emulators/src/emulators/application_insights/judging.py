"""Which items are accepted: a pure decision about an item, the resource's instrumentation key and the time.

Sources: the endpoint protocol of microsoft/ApplicationInsights-Home (EndpointSpecs), answers that people have shown in
issues for the numbers and words, "Azure Monitor service limits" for the size of an item.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from emulators.application_insights.bodies import Item
from emulators.application_insights.fields import MOST_IN_FIELD, complaints, too_long

MOST_ITEM_BYTES: Final = 64 * 1024
OLDEST: Final = timedelta(hours=48)
MOST_RATE: Final = 100

_MILLISECOND: Final = timedelta(milliseconds=1)
_KEPT: Final = ("MessageData", "MetricData", "RequestData", "RemoteDependencyData", "ExceptionData")
_PARTS: Final = {"MetricData": ("metrics", "DataPoint"), "ExceptionData": ("exceptions", "ExceptionDetails")}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an item is not accepted: the status that it has in the answer, and the words."""

    status: int
    message: str


def judge(item: Item, key: str, now: datetime) -> Rejection | None:
    """Accept an item (None), or say why not. key: the instrumentation key. now: aware."""
    if not isinstance(item.content, dict):
        return Rejection(400, f"An item must be an object, not a {type(item.content).__name__}")
    if item.size > MOST_ITEM_BYTES:
        return Rejection(400, f"The item has {item.size} bytes. Expected: {MOST_ITEM_BYTES} bytes")
    complaint = next(_complaints(item.content, key, now), None)
    return None if complaint is None else Rejection(400, complaint)


def read_time(text: str) -> datetime | None:
    """Read the time of an item, which must name its zone; None where it is no time."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _complaints(envelope: Mapping[str, Any], key: str, now: datetime) -> Iterator[str]:
    for name in ("name", "time", "iKey"):
        if not isinstance(envelope.get(name), str) or not envelope[name]:
            yield _missing(name, "Envelope")
    yield from _of_time(envelope["time"], now)
    if envelope["iKey"].lower() != key.lower():
        yield "Invalid instrumentation key"
    yield from _of_rate(envelope.get("sampleRate"))
    yield from _of_tags(envelope.get("tags"))
    yield from _of_data(envelope.get("data"))


def _of_time(text: str, now: datetime) -> Iterator[str]:
    at = read_time(text)
    if at is None:
        yield f"102: Field 'time' on type 'Envelope' is not a valid time string. Expected: date, Actual: {text[:64]}"
    elif now - at > OLDEST:
        yield (
            "103: Field 'time' on type 'Envelope' is older than the allowed min date."
            f" Expected: now - {OLDEST // _MILLISECOND}ms, Actual: now - {(now - at) // _MILLISECOND}ms"
        )


def _of_rate(rate: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= MOST_RATE):
        yield "Field 'sampleRate' on type 'Envelope' has the wrong type. Expected: 0 < double <= 100"


def _of_tags(tags: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if tags is None:
        return
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        yield "Field 'tags' on type 'Envelope' has the wrong type. Expected: strings"
        return
    for name, value in tags.items():
        yield from too_long(f"Field '{name}' on type 'ContextTagKeys'", value, MOST_IN_FIELD)


def _of_data(data: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if not isinstance(data, dict):
        yield _missing("data", "Envelope")
    elif data.get("baseType") not in _KEPT:
        yield (
            f"Field 'baseType' on type 'Data' is none of {', '.join(_KEPT)}, which are all that is kept here."
            f" Actual: {str(data.get('baseType'))[:64]}"
        )
    elif not isinstance(data.get("baseData"), dict):
        yield _missing("baseData", "Data")
    else:
        yield from _of_base(data["baseType"], data["baseData"])


def _of_base(kind: str, base: Mapping[str, Any]) -> Iterator[str]:
    yield from complaints(kind, base)
    field, part = _PARTS.get(kind, ("", ""))
    for one in base.get(field, ()):
        yield from complaints(part, one)


def _missing(name: str, kind: str) -> str:
    return f"109: Field '{name}' on type '{kind}' is required but missing or empty. Expected: string, Actual: undefined"
