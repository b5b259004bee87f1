"""The feed of a kiosk whose streams end in a hub, a table and two kinds of files, the hub's last."""

from decimal import Decimal

import numpy as np
import pyarrow as pa

from shared.contracts import load_contract
from shared.feeds.drawing.identifiers import identifiers, seed_of
from shared.feeds.drawing.lines import ndjson, text_column
from shared.feeds.drawing.pool import Pool
from shared.feeds.drawing.timestamps import grid
from shared.feeds.feed import Drawn, Feed, LakeFolder, Position, SqlTable, Stream
from shared.feeds.records import Records
from shared.feeds.slicing import StreamRecords

VERSION = 1
PURCHASES = Stream("purchases/1")
INVOICES = Stream("invoices/1", SqlTable())
PARCELS = Stream("parcels/1", LakeFolder("lake_ndjson"))
REFUNDS = Stream("refunds/1", LakeFolder("lake_parquet"))

_CUSTOMERS = 50


def build(seed, progress):
    progress("customers")
    return Pool(VERSION, {"customers": pa.array([f"customer-{seed}-{number}" for number in range(_CUSTOMERS)])})


def drawing(pool):
    def draw(at: Position) -> StreamRecords:
        numbers = np.arange(at.first, at.first + at.count)
        ids = text_column(identifiers(seed_of("kiosk", at.window_id, at.slice_number), numbers.astype(np.uint64)))
        customers = pool.columns["customers"].take(pa.array(numbers * 7 % _CUSTOMERS))
        totals = pa.array([Decimal(int(number)) / 10 for number in numbers], pa.decimal128(12, 2))
        times = pa.array(grid(at.start, at.rate, at.first, at.count), pa.timestamp("us"))
        billed = {"order_id": ids, "customer": customers, "amount": totals, "ordered_at": times}
        refunds = pa.record_batch(billed).filter(pa.array(numbers % 5 == 0))
        twice = pa.array(np.repeat(np.arange(at.count), 2))
        parcels = {
            "order_id": ids.take(twice),
            "parcel": pa.array(np.tile([1, 2], at.count)),
            "grams": pa.array(np.repeat(numbers, 2) + 100),
            "ordered_at": times.take(twice),
        }
        orders = {"order_id": ids, "customer": customers, "total": totals, "ordered_at": times}
        return {
            INVOICES.name: _lines(INVOICES, pa.record_batch(billed | {"paid": pa.array(numbers % 2 == 0)})),
            PARCELS.name: _lines(PARCELS, pa.record_batch(parcels)),
            REFUNDS.name: _lines(REFUNDS, refunds),
            PURCHASES.name: _lines(PURCHASES, pa.record_batch(orders)),
        }

    return draw


def _lines(stream: Stream, batch: pa.RecordBatch) -> Records:
    return ndjson(batch, load_contract(stream.contract))


FEED = Feed(
    name="kiosk",
    streams=(PURCHASES, INVOICES, PARCELS, REFUNDS),
    source=Drawn(VERSION, build, drawing),
    rate=20,
)
