"""What an event's properties say, as expressions over bronze; nothing that a sender writes there can make one fail."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.grammar import WINDOW_ID

LARGEST = 64 * 1024 * 1024
"""Bytes that a pack may open to; events themselves are at most 1 MiB."""

MOST_RECORDS = LARGEST // 2
"""Records that a pack may hold: each takes a byte and a newline at least."""

UNKNOWN = "unknown"
"""The window of events that name none, or none of their feed's."""

LONGEST_QUOTE = 100
"""Characters of a text from outside that a reason repeats."""

_AHEAD = timedelta(days=1)
_START = r"^.*-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.*$"


class Property(StrEnum):
    """The application properties of an event that are read: `contracts/documents/event_properties.v1.schema.json`."""

    CONTRACT = "contract"
    SLICE = "slice"
    ROWS = "rows"
    ENCODING = "encoding"


def property_of(name: Property) -> Column:
    """Give a property's text; null where the event has none."""
    return F.col("properties").getItem(name.value)


def window_of_event(feed: str) -> Column:
    """Give the feed's window that a bronze row names (`<window id>/<n>.<attempt>` in its `slice`), or `unknown`."""
    return F.when(_names_slice(feed), F.substring_index(property_of(Property.SLICE), "/", 1)).otherwise(F.lit(UNKNOWN))


def slice_of_event(feed: str) -> Column:
    """Give the slice's number, or `close`; empty where the event names none of the feed's."""
    number = F.regexp_extract(property_of(Property.SLICE), r"/([^/.]+)[.]", 1)
    return F.when(_names_slice(feed), number).otherwise(F.lit(""))


def attempt_of_event(feed: str) -> Column:
    """Give the number of the try at the slice that sent a bronze row; 0 where the event names none of the feed's."""
    attempt = F.regexp_extract(property_of(Property.SLICE), r"[.](\d+)$", 1).try_cast("int")
    return F.when(_names_slice(feed), attempt).otherwise(F.lit(0))


def records_of_event() -> Column:
    """Count the records of a bronze row by what the sender said: a pack's `rows`, else 1; no sum of them overflows."""
    rows, most = property_of(Property.ROWS), F.lit(MOST_RECORDS).cast("bigint")
    counted = F.coalesce(F.least(rows.try_cast("bigint"), most), most)
    return F.when(rows.rlike(r"^[0-9]+\z"), counted).otherwise(F.lit(1).cast("bigint"))


def contract_of_event(known: Sequence[str], default: str) -> Column:
    """Give the contract that checks a bronze row: the one that it names, else the default."""
    named = property_of(Property.CONTRACT)
    return F.when(named.isin(list(known)), named).otherwise(F.lit(default))


def fault_of_event(feed: str, known: Sequence[str]) -> Column:
    """Say why a bronze row can't be opened at all, by its properties; null where it may be."""
    is_count = property_of(Property.ROWS).rlike(r"^[0-9]{1,9}\z")
    number = property_of(Property.ROWS).try_cast("bigint")
    named = property_of(Property.CONTRACT)
    return F.coalesce(
        F.when(
            _says_slice() & ~_names_slice(feed),
            _found(f"slice: expected <window of {feed}>/<number>.<try>", property_of(Property.SLICE)),
        ),
        F.when(~named.isin(list(known)), _found(f"contract: expected {' or '.join(known)}", named)),
        F.when(F.col("body").isNull(), F.lit("the event has no body")),
        F.when(
            ~(is_count & number.between(1, MOST_RECORDS)),
            _found(f"rows: expected a whole number from 1 to {MOST_RECORDS}", property_of(Property.ROWS)),
        ),
    )


def events_of_windows(bronze: DataFrame, feed: str, window_ids: Sequence[str]) -> DataFrame:
    """Give the bronze rows of windows; nothing of a window is enqueued before it is due, which spares older files."""
    events = bronze.where(window_of_event(feed).isin(list(window_ids)))
    if not all(map(WINDOW_ID.fullmatch, window_ids)):
        return events
    starts = [datetime.strptime(window.rpartition("-")[2], "%Y%m%dT%H%M%S%z") for window in window_ids]
    earliest = max(min(starts), datetime.min.replace(tzinfo=UTC) + _AHEAD) - _AHEAD
    return events.where(F.col("enqueued_at") >= F.lit(earliest.isoformat()).cast("timestamp"))


def cut(text: Column) -> Column:
    """Shorten a text that comes from outside."""
    return F.when(
        F.char_length(text) > LONGEST_QUOTE, F.concat(F.left(text, F.lit(LONGEST_QUOTE)), F.lit("…"))
    ).otherwise(text)


def _found(expected: str, text: Column) -> Column:
    return F.concat(F.lit(f"{expected}, found "), cut(text))


def _says_slice() -> Column:
    return property_of(Property.SLICE) != ""


def _names_slice(feed: str) -> Column:
    """Say whether `slice` is a real one of the feed; false too where there is none. Real: its start is an instant."""
    text = property_of(Property.SLICE)
    is_written_so = text.rlike(rf"^{feed}-(?!0000)[0-9]{{8}}T[0-9]{{6}}Z/([0-9]{{1,9}}|close)[.][0-9]{{1,9}}\z")
    start = F.regexp_replace(text, _START, "$1-$2-$3T$4:$5:$6Z").try_cast("timestamp")
    return F.coalesce(is_written_so & start.isNotNull(), F.lit(False))
