"""A window of the call centre through the app and real Spark: its gold is, row by row, what was drawn."""

import json
import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from azure.storage.blob import BlobServiceClient

from shared.domain.days import day_of
from shared.domain.windows.plan import Plan
from shared.domain.windows.window import microseconds
from shared.feeds.call_centre import truth
from shared.feeds.call_centre.dimensions import dimension
from shared.feeds.call_centre.feed import FEED
from shared.feeds.feed import Position
from tests.e2e.enriching import needs_spark
from tests.e2e.running_app import times

pytestmark = [needs_spark, pytest.mark.timeout(700)]


@pytest.fixture(scope="module")
def window(whole_feeds):
    return whole_feeds.window("call_centre")


@pytest.fixture(scope="module")
def pool():
    return FEED.source.build(FEED.source.seed, lambda _: None)


@pytest.fixture(scope="module")
def drawn(window, pool):
    """What the window's plan says that there is to send, by stream, drawn once more."""
    plan, draw = Plan.from_wire(window["plan"]), FEED.source.draw(pool)
    records = {stream.name: [] for stream in FEED.streams}
    for part in plan.slices():
        at = Position(part.window_id, part.number, 0, plan.records(part), microseconds(part.start), plan.rate)
        for stream, found in draw(at).items():
            records[stream] += [json.loads(line) for line in found.lines.to_pylist()]
    return records


def test_every_stream_is_balanced_from_the_feed_to_what_is_made_of_it(window, drawn):
    counts = window["enrichment"]["counts"]

    assert (window["state"], window["enrichment"]["reconciliation"]) == ("closed", "balanced"), counts
    for stream, records in drawn.items():
        sent = window["result"]["counts"][stream]
        assert sent["accepted"] == counts[stream]["silver_new"] == len(records) > 0


def test_the_days_of_agents_are_those_that_were_drawn(whole_feeds, drawn):
    assert rows_of(whole_feeds.app, "visao_assistentes", "DT_REFE, DS_AREA, ID_ASST") == expected(
        truth.visao_assistentes(drawn["calls"], drawn["surveys"]),
        standard=truth.visao_assistentes(drawn["calls"], drawn["surveys"], truth.STANDARD),
    )


def test_the_days_of_queues_are_those_that_were_drawn(whole_feeds, drawn):
    assert rows_of(whole_feeds.app, "visao_ura_calls", "DT_REFE, ID_FILA") == expected(
        truth.visao_ura_calls(drawn["ura"], drawn["calls"])
    )


@pytest.mark.parametrize("name", [each.name for each in FEED.dimensions])
def test_the_run_is_given_the_lookups_of_its_windows_day(whole_feeds, window, pool, name):
    (run,) = window["enrichment"]["runs"]
    day = day_of(times(window)[0], ZoneInfo(FEED.zone))

    with (
        BlobServiceClient.from_connection_string(
            whole_feeds.app.running.addresses["storage"]["connection_string"]
        ) as account,
        account.get_blob_client("reference", run["lookups"][name]) as blob,
    ):
        written = pq.read_table(BytesIO(blob.download_blob().readall()))

    assert run["lookups"][name] == f"{name}/{day:%Y%m%d}.parquet"
    assert written.equals(dimension(name, pool, day))


def test_no_personal_value_is_outside_the_restricted_table(whole_feeds, window, pool):
    people = dimension("dim_clientes", pool, day_of(times(window)[0], ZoneInfo(FEED.zone))).to_pylist()
    wanted = {value.encode() for one in people[:200] for value in (one["cpf"], one["email"])}
    state = whole_feeds.app.running.state
    files = [path for path in state.folder.rglob("*") if path.is_file() and "restricted" not in path.parts]
    readable = [path for path in files if path.suffix in {".log", ".json", ".sqlite", ".crc"}]

    shown = [(path, value) for path in readable for value in wanted if value in path.read_bytes()]

    assert len(readable) > 10
    assert not [(str(path), value) for path, value in shown if "storage" not in path.parts]


def rows_of(app, table, order):
    with closing(sqlite3.connect(app.running.state.sql)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}')
        return [{name: row[name] for name in row.keys()} for row in found]  # noqa: SIM118 - a Row gives its values


def expected(rows, standard=()):
    """Write rows as SQLite gives them back, with the score by the standard's marks beside the usual one's."""
    beside = [{"VL_NPS_PADRAO": one["VL_NPS"]} for one in standard] or [{}] * len(rows)
    return [
        {name: _stored(value) for name, value in (row | more).items()} for row, more in zip(rows, beside, strict=True)
    ]


def _stored(value):
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
