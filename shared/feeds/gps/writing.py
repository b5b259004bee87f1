"""Writes points as lines of their contract, all of the same width."""

import numpy as np
import pyarrow as pa

from shared.feeds.drawing import timestamps
from shared.feeds.drawing.fixed_lines import LineTemplate, table_of
from shared.feeds.gps import tables
from shared.feeds.gps.tables import Flaw
from shared.feeds.gps.walking import Fixes

_WHOLE = table_of(f"{sign}{degrees}.".rjust(5) for sign in ("", "-") for degrees in range(1000))
_FOUR = table_of(f"{number:04d}" for number in range(10_000))
_THREE = table_of(f"{number:03d}" for number in range(1000))
_ACCURACY = table_of(
    f"{number // 10}.{number % 10}".rjust(5) for number in range(tables.ACCURACY[1] * tables.POOR_TIMES + 1)
)
_DEGREES = np.dtype([("whole", "V5"), ("four", "V4"), ("three", "V3")])
_WIDTH = _DEGREES.itemsize
_BLANK = np.frombuffer(b"null".rjust(_WIDTH), f"V{_WIDTH}")[0]
_POINT = LineTemplate(
    f'{{"appid":"<appid:36>","latitude":<latitude:{_WIDTH}>,"longitude":<longitude:{_WIDTH}>,'
    f'"accuracy":<accuracy:{_ACCURACY.itemsize}>,"time":"<time:26>Z"}}\n'
)


def lines(appids: np.ndarray, fixes: Fixes, times: np.ndarray) -> pa.BinaryArray:
    """Write points. appids: V36[n]; times: int64[n], ascending microseconds since the epoch."""
    blank = fixes.flaw == Flaw.BLANK
    columns = {
        "appid": appids,
        "latitude": _degrees(fixes.latitude, blank),
        "longitude": _degrees(fixes.longitude, blank),
        "accuracy": _ACCURACY.take(fixes.accuracy),
        "time": timestamps.as_text(times).view("V26").reshape(-1),
    }
    return _POINT.lines(len(times), columns)


def _degrees(units: np.ndarray, blank: np.ndarray) -> np.ndarray:
    """Write units of place as degrees with seven decimals."""
    whole, part = np.divmod(np.abs(units), tables.UNITS)
    text = np.empty(len(units), _DEGREES)
    text["whole"] = _WHOLE.take(whole + (units < 0) * 1000)
    text["four"], text["three"] = _FOUR.take(part // 1000), _THREE.take(part % 1000)
    written = text.view(f"V{_WIDTH}")
    written[blank] = _BLANK
    return written
