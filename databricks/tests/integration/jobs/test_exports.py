"""A run with streams of exported files beside its hubs: passes and reruns take them in, and no count changes by it."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from job_house import row, trade
from lakehouse.request import ExportedStream

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ITEMS = ExportedStream("items", "exports/items", "items/1")


def items(*rows):
    count = len(rows)
    made = {
        "order_id": ["00000001-0000-8000-8000-000000000000"] * count,
        "row_id": list(rows),
        "product_id": [7] * count,
        "item_value": pa.array([Decimal("99.90")] * count, pa.decimal128(38, 18)),
        "order_date": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
    }
    sink = BytesIO()
    pq.write_table(pa.table(made), sink)
    return sink.getvalue()


def test_passes_and_reruns_take_exported_rows_in_and_the_windows_counts_are_those_of_its_hubs(house):
    house.send(row(trade(1)))
    house.close(read=1, accepted=1)
    house.files.write("exports/items/0-2.parquet", items(1, 2), NOON)
    request = house.request(exported=(ITEMS,))

    chain = house.chain(request)
    chain.prepare()
    chain.run_pass()
    counts = chain.finish()

    assert house.rows("silver.items", "row_id", "product_id") == [(1, 7), (2, 7)]
    assert set(counts) == {"trades"}
    assert counts["trades"].bronze_records == 1
    assert house.sql("SELECT DISTINCT stream FROM window_counts") == [("trades",)]

    house.files.write("exports/items/2-3.parquet", items(2, 3), NOON)
    again = house.chain(request)
    again.prepare()
    again.rerun()
    again.finish()

    assert house.rows("silver.items", "row_id") == [(1,), (2,), (3,)]
