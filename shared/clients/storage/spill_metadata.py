"""How a batch is written as the metadata of its blob, whose values are ASCII, and read from it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote

from shared.domain.spill import SPILL_STATES, SpilledBatch, SpillState, feed_of

_LONGEST_REASON: Final = 500  # twelve bytes a character at the worst; all metadata of a blob are 8 KiB at most


def metadata_of(batch: SpilledBatch, before: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Write a batch; a reason is percent-encoded and cut to 500 characters, and what is empty is left out.

    before: metadata in whose place these are put; what this version does not know of them stays. Of a batch that this
    version can't read all of them stay but its state and reason.
    """
    values = _values(batch)
    if before and not batch.is_readable:
        values = {name: values[name] for name in ("state", "reason")}
    unknown = {name: value for name, value in before.items() if name.lower() not in values}
    return unknown | {name: value for name, value in values.items() if value}


def _values(batch: SpilledBatch) -> dict[str, str]:
    return {
        "version": str(batch.version),
        "feed": batch.feed,
        "hub": batch.hub,
        "rows": str(batch.rows),
        "events": str(batch.events),
        "sha256": batch.sha256,
        "state": batch.state,
        "tries": str(batch.tries),
        "reason": quote(batch.reason.strip()[:_LONGEST_REASON].rstrip(), safe=" ,:;/()'"),
        "waits_for": batch.waits_for,
        "spilled_at": batch.spilled_at.isoformat(),
    }


def batch_of(path: str, metadata: Mapping[str, str], written_at: datetime) -> SpilledBatch:
    """Read a batch; one that can't be read is dead, with the reason, so that nobody overlooks it, or discarded.

    A newer version's metadata are read as far as they have what this version knows.
    """
    given = {name.lower(): value for name, value in metadata.items()}
    try:
        return SpilledBatch(
            path=path,
            feed=given["feed"],
            hub=given["hub"],
            rows=_count(given, "rows"),
            events=_count(given, "events"),
            sha256=given["sha256"],
            spilled_at=_instant(given["spilled_at"]),
            version=int(given["version"]),
            state=_state(given["state"]),
            tries=_count(given, "tries"),
            reason=unquote(given.get("reason", "")),
            waits_for=given.get("waits_for", ""),
            written_at=written_at,
        )
    except (KeyError, ValueError) as error:
        reason = f"Its metadata can't be read: {type(error).__name__} {error}"
        unread = SpilledBatch(
            path, feed_of(path), "", 0, 0, "", written_at, state="dead", reason=reason, written_at=written_at
        )
        is_discarded = given.get("state") == "discarded"
        return replace(unread, state="discarded", reason=unquote(given.get("reason", ""))) if is_discarded else unread


def _count(given: Mapping[str, str], name: str) -> int:
    number = int(given[name])
    if number < 0:
        raise ValueError(f"{name} is {number}")
    return number


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("spilled_at has no zone")
    return found


def _state(text: str) -> SpillState:
    for state in SPILL_STATES:
        if state == text:
            return state
    raise ValueError(f"state is {text!r}, not one of {', '.join(SPILL_STATES)}")
