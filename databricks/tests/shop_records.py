"""Records of the web shop with what every table must have of them: by hand, or drawn by the app with its own truth."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hub_stage import PYTHON, ROOT

STREAMS = ("pageviews", "stars", "orders", "items")
LOOKUPS = {
    "users": pa.schema(
        [
            ("id", pa.int64()),
            *[(name, pa.string()) for name in ("city", "user_name", "administrative_unit")],
            ("jobs", pa.list_(pa.string())),
        ]
    ),
    "vip_users": pa.schema([("id", pa.int64())]),
}
"""The columns that the app writes: none that is personal."""

_DRAW = """
import json, sys
from datetime import datetime
from decimal import Decimal
from shared.feeds.feed import Position
from shared.feeds.shop import truth
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import FEED, Shop

options = {"SHOP_USERS": 150, "SHOP_VIPS": 20, "SHOP_ORDERS": 80}
pool, start = build(7), int(datetime.fromisoformat("2026-11-27T13:00:00Z").timestamp() * 1_000_000)
drawn = Shop(pool).draw(Position("shop-20261127T130000Z", 0, 0, 1_500, start, 1.5, options))
lines = {name: records.lines.to_pylist() for name, records in drawn.items()}
def read(found): return [json.loads(one, parse_float=Decimal) for one in found]
import numpy as np
for one in FEED.references:
    if one.name in ("users", "vip_users"):
        lines[one.name] = one.lines(pool, np.arange(1, one.size(options) + 1), options).to_pylist()
r = {name: read(found) for name, found in lines.items()}
records = truth.ShopRecords(r["pageviews"], r["stars"], r["orders"], r["items"], r["users"], r["vip_users"])
expected = {
    "pageviews_by_method": truth.pageviews_by_method(r["pageviews"]),
    "pageviews_high_latency": truth.pageviews_high_latency(r["pageviews"], r["users"]),
    "pageviews_vip": truth.pageviews_vip(r["pageviews"], r["vip_users"]),
    "pageviews_after_low_stars": truth.pageviews_after_low_stars(r["pageviews"], r["stars"]),
    "first_pageviews": truth.first_pageviews(r["pageviews"]),
    "engagements": truth.engagements(records),
}
def plain(value): return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)
lines = {name: [one if isinstance(one, str) else one.decode() for one in found] for name, found in lines.items()}
json.dump({"lines": lines, "expected": expected}, open(sys.argv[1], "w"), default=plain)
"""


@cache
def example() -> Mapping[str, Any]:
    """Read the records that were written by hand, and the rows that each table must have of them."""
    return json.loads((ROOT / "tests/shop_analytics/example.json").read_text(encoding="utf-8"))


def drawn(folder: Path) -> Mapping[str, Any]:
    """Draw a window in the app's own environment: `lines` by stream and lookup, and `expected` rows by table."""
    path = folder / "drawn.json"
    subprocess.run([str(PYTHON), "-c", _DRAW, str(path)], cwd=ROOT, check=True)
    return json.loads(path.read_text(encoding="utf-8"))


def lookup(name: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write a lookup as the app does."""
    schema, target = LOOKUPS[name], BytesIO()
    pq.write_table(pa.Table.from_pylist([{one: row[one] for one in schema.names} for row in rows], schema), target)
    return target.getvalue()


def written(value: Any) -> Any:
    """Write a value of a table as the expected rows have it."""
    return str(value) if isinstance(value, Decimal) else value
