"""Which tables may be measured: a JSON object of the app settings, read with the rule where it is not that."""

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.domain.volumes.measurement import MeasuredTable

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_LEAST_ROWS = 1000
_ALERT = "ingestion"


def alert_name(value: str) -> str:
    """Read the NAME of an ALERT_<NAME>_URL."""
    if not _WORD.fullmatch(value):
        raise ValueError("must be of letters, digits and _")
    return value


def measured_tables(value: str) -> Mapping[str, MeasuredTable]:
    """Read `{"<key>": {"table", "floor", "alert", "stream"}}`; all but the table have defaults."""
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("must be JSON") from None
    if not isinstance(document, dict):
        raise ValueError("must be a JSON object of tables by key")
    return {key: _measured_table(key, entry) for key, entry in document.items()}


def _measured_table(key: str, entry: Any) -> MeasuredTable:  # noqa: ANN401 - any JSON value
    if not _WORD.fullmatch(key) or not isinstance(entry, dict):
        raise ValueError("must have keys of letters, digits and _, each with an object")
    given = {"floor": _LEAST_ROWS, "alert": _ALERT, "stream": key, **entry}
    if set(given) != {"table", "floor", "alert", "stream"}:
        raise ValueError(f"must give each key table, and may give floor, alert and stream; {key} is otherwise")
    if isinstance(given["floor"], bool) or not isinstance(given["floor"], int) or given["floor"] < 0:
        raise ValueError(f"must have whole floors from 0 on; that of {key} is none")
    if not all(isinstance(given[name], str) and _WORD.fullmatch(given[name]) for name in ("table", "alert", "stream")):
        raise ValueError(f"must name table, alert and stream by letters, digits and _; {key} does not")
    return MeasuredTable(key, given["table"], given["stream"], given["floor"], given["alert"])
