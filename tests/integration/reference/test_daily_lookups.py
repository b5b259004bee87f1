"""Daily lookups over blob storage (Azurite): a day's file is written once, from the shared pool, for all its runs."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.account import Account
from shared.clients.storage.pools import SharedPools
from shared.clients.storage.reference import blob_reference
from shared.domain.days import DailySchedule
from shared.domain.windows.window import Window
from shared.flows.lookups import LookupTools, dimension_makers, folder_of, provide, write_due_lookups
from tests.azurite import running_azurite
from tests.unit.shared.flows import helpdesk

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LAST_YEAR = datetime(2025, 11, 27, 12, tzinfo=UTC)
PATH = "dim_clientes/20261127.parquet"
DAILY = DailySchedule(ZoneInfo("America/Sao_Paulo"), time(2), time(6))


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


def instance(connection, folder):
    """Give the lookups of one instance of the app, which has a folder of its own."""
    reference = blob_reference(Account(connection, "", FakeIdentity(), None))
    pools = SharedPools(folder, reference)
    return LookupTools(reference, dimension_makers(helpdesk.feed(), DAILY, pools.drawing))


def rows(tools, path):
    return pq.read_table(BytesIO(tools.reference.read(path)))


def test_two_instances_write_one_file_a_day_and_every_run_of_that_day_is_given_it(connection, tmp_path, caplog):
    instances = [instance(connection, tmp_path / name) for name in ("one", "two")]

    with caplog.at_level(logging.INFO), ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda tools: write_due_lookups(tools, NOON), instances))
    window = Window("helpdesk", NOON, NOON + timedelta(minutes=10))
    given = [provide(tools, "dim_clientes", window) for tools in instances]

    assert given == [(PATH, "")] * 2
    assert caplog.text.count(f"lookup.written path={PATH}") == 1
    assert rows(instances[0], PATH) == helpdesk.clients(helpdesk.POOL, date(2026, 11, 27))


def test_a_purge_leaves_the_newest_file_and_a_run_of_an_old_day_has_its_rows_again(connection, tmp_path):
    tools, folder = instance(connection, tmp_path), folder_of("dim_clientes")
    old = Window("helpdesk", LAST_YEAR, LAST_YEAR + timedelta(minutes=10))
    path, _ = provide(tools, "dim_clientes", old)
    before = rows(tools, path)
    tools.reference.delete(path)
    write_due_lookups(tools, NOON)
    newest = tools.reference.newest(folder)

    tools.reference.delete_older(folder, datetime.now(UTC) + timedelta(days=1), keep=newest)
    again, note = provide(tools, "dim_clientes", old)

    assert newest == PATH
    assert (again, note) == ("dim_clientes/20251127.parquet", "")
    assert rows(tools, again) == before
