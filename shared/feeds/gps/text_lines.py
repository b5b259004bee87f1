"""Reads points that are written as text, `latitude:51.1, longitude:0.1,appid:abcde-j12345`, into records of gps/1.

Such a line, contract gps/0, says neither when nor how accurately: the time is that of the event which brought it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.contracts import Contract, load_contract
from shared.domain.delivery import Refusal
from shared.domain.windows.window import microseconds
from shared.feeds.drawing.lines import ndjson
from shared.feeds.records import Records

CONTRACT: Final = "gps/0"
"""What the property `contract` of an event with such a line says."""

_LINE = r"^\s*latitude\s*:(?P<latitude>[^,]*),\s*longitude\s*:(?P<longitude>[^,]*),\s*appid\s*:(?P<appid>[^,]*)$"
_NUMBER = r"^[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})$"  # neither nan nor infinity, which JSON can't say


def read_text_lines(lines: pa.Array, times: np.ndarray) -> Records:
    """Give the good lines as records of gps/1, in their order, and count the bad ones by reason in `refusals`.

    lines: strings or bytes in UTF-8, n of them. times: int64[n], microseconds since the epoch, of each line's event.
    """
    contract = load_contract("gps/1")
    found = pc.extract_regex(lines.cast(pa.binary()).cast(pa.string(), safe=False), _LINE)
    appid = pc.utf8_trim_whitespace(pc.struct_field(found, "appid"))
    latitude, longitude = (_number(found, name) for name in ("latitude", "longitude"))
    rules = [
        (found.is_valid(), "it is not `latitude:<degrees>, longitude:<degrees>,appid:<id>`"),
        *_place_rules(latitude, "latitude", contract),
        *_place_rules(longitude, "longitude", contract),
        *_id_rules(appid, contract),
    ]
    good, refusals = _judged(rules, len(lines))
    columns = {
        "appid": appid,
        "latitude": latitude,
        "longitude": longitude,
        "time": pa.array(times, pa.timestamp("us")),
    }
    return _with(ndjson(pa.record_batch(columns).filter(good), contract), refusals)


def read_text_line(line: bytes, at: datetime) -> bytes | None:
    """Give one line as its record of gps/1, None for a bad one. at: of the line's event."""
    records = read_text_lines(pa.array([line], pa.binary()), np.array([microseconds(at)]))
    record: bytes | None = None if records.refusals else records.lines[0].as_py()
    return record


def _number(found: pa.StructArray, name: str) -> pa.Array:
    """Read a number; null for what is none."""
    text = pc.utf8_trim_whitespace(pc.struct_field(found, name))
    is_number = pc.match_substring_regex(text, _NUMBER)
    return pc.if_else(is_number, text, None).cast(pa.float64())


def _place_rules(degrees: pa.Array, name: str, contract: Contract) -> list[tuple[pa.Array, str]]:
    limits = next(column.limits for column in contract.columns if column.name == name)
    least, most = limits["minimum"], limits["maximum"]
    within = pc.and_(pc.greater_equal(degrees, least), pc.less_equal(degrees, most))
    return [(degrees.is_valid(), f"its {name} is no number"), (within, f"its {name} is not from {least} to {most}")]


def _id_rules(appid: pa.Array, contract: Contract) -> list[tuple[pa.Array, str]]:
    longest = next(column.limits["maxLength"] for column in contract.columns if column.name == "appid")
    length = pc.utf8_length(appid)
    return [
        (pc.greater(length, 0), "its appid is blank"),
        (pc.less_equal(length, longest), f"its appid is longer than {longest} characters"),
    ]


def _judged(rules: Sequence[tuple[pa.Array, str]], size: int) -> tuple[pa.Array, tuple[Refusal, ...]]:
    """Say which lines keep all rules, and count the others by the first rule that each breaks."""
    good, refusals = np.ones(size, bool), []
    for kept, reason in rules:
        broken = good & ~pc.fill_null(kept, False).to_numpy(zero_copy_only=False)
        good &= ~broken
        if broken.any():
            refusals.append(Refusal(int(broken.sum()), f"A line of {CONTRACT} can't be read: {reason}."))
    return pa.array(good), tuple(refusals)


def _with(records: Records, refusals: tuple[Refusal, ...]) -> Records:
    return Records(records.lines, records.keys, refusals)
