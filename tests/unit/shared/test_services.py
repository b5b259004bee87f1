import threading
from datetime import UTC, datetime

import pytest

from shared.access import cosmos, storage_account
from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.fake import FakeReference
from shared.contracts import load_contract
from shared.errors import Unavailable
from shared.flows.lookups import write_due_lookups
from shared.flows.pending_alerts import retry_pending_alerts
from shared.services import Services
from shared.settings.model import read_settings
from tests.unit.shared.flows import helpdesk

LEAST = {
    "EVENT_HUBS__fullyQualifiedNamespace": "name.servicebus.windows.net",
    "EVENT_HUBS__credential": "managedidentity",
    "AzureWebJobsStorage__accountName": "account",
}
POLLING = {"maxQueuePollingInterval": "00:00:10"}
CONCURRENCY = {"extensions": {"durableTask": {"maxConcurrentActivityFunctions": 24, "storageProvider": POLLING}}}


def test_a_service_is_replaced_by_name():
    services = Services().replace(ledger="another")

    assert services.ledger == "another"


def test_a_send_to_any_destination_may_take_as_long_as_its_setting_says():
    changed = {"SEND_DEADLINE": "00:00:10", "SQL__url": "mssql://sql.example/trades"}
    settings = read_settings(LEAST | changed, {"functionTimeout": "00:10:00"} | CONCURRENCY)

    services = Services().replace(settings=settings)

    table = services.destination_tools.rows(load_contract("trades/1"))
    assert services.hubs.retry.timeouts.total == 10.0
    assert services.lake.container.retry.timeouts.total == 10.0
    assert table.sender.retry.timeouts.total == 10.0


@pytest.mark.parametrize(("written", "kept"), [({}, True), ({"SPILL": "on"}, True), ({"SPILL": "off"}, False)])
def test_what_a_hub_does_not_take_is_kept_unless_the_setting_says_off(written, kept):
    settings = read_settings(LEAST | written, {"functionTimeout": "00:10:00"} | CONCURRENCY)

    services = Services().replace(settings=settings, spill="the spill")

    assert services.destination_tools.spill == ("the spill" if kept else None)


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ({}, "https://account.queue.core.windows.net"),
        ({"AzureWebJobsStorage__queueServiceUri": "https://q.example"}, "https://q.example"),
    ],
)
def test_the_queues_are_those_of_the_apps_storage_account(written, endpoint):
    settings = read_settings(LEAST | written, {"functionTimeout": "00:10:00"} | CONCURRENCY)

    account = storage_account(settings, "queue")

    assert (account.connection, account.endpoint) == (None, endpoint)


def test_all_blobs_are_in_the_lakes_account_where_it_has_one_and_the_rest_stays_with_the_host():
    of_both = {"AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "host", "LAKE__accountName": "lake"}

    settings = read_settings(LEAST | of_both, {"functionTimeout": "00:10:00"} | CONCURRENCY)

    assert {each: storage_account(settings, each).endpoint for each in ("blob", "queue", "table")} == {
        "blob": "https://lake.blob.core.windows.net",
        "queue": "https://host.queue.core.windows.net",
        "table": "https://host.table.core.windows.net",
    }
    assert storage_account(settings, "blob").who == storage_account(settings, "table").who


def test_the_hubs_are_reached_as_the_settings_say():
    proxy = "http://me:secret" + "@proxy.example:3128"
    changed = {"EVENT_HUBS_TRANSPORT": "websockets", "EVENT_HUBS_PROXY": proxy}
    settings = read_settings(LEAST | changed, {"functionTimeout": "00:10:00"} | CONCURRENCY)

    connection = Services().replace(settings=settings).hubs.connection

    assert (connection.over_websockets, connection.proxy) == (True, proxy)
    assert "secret" not in repr(connection)


def test_cosmos_is_reached_as_the_settings_say_and_is_absent_without_an_account():
    account = {"COSMOS__accountEndpoint": "https://name.documents.azure.com", "SEND_DEADLINE": "00:00:10"}
    set_up, bare = (
        read_settings(LEAST | more, {"functionTimeout": "00:10:00"} | CONCURRENCY) for more in (account, {})
    )

    found = cosmos(set_up, FakeIdentity())

    assert found.connection.endpoint == "https://name.documents.azure.com"
    assert found.retry.timeouts.total == 10.0
    assert cosmos(bare, FakeIdentity()) is None


def test_without_a_database_there_are_no_alerts_to_send_and_nothing_to_measure():
    settings = read_settings(LEAST, {"functionTimeout": "00:10:00"} | CONCURRENCY)

    services = Services().replace(settings=settings)

    assert retry_pending_alerts(services.alert_tools)["due"] == 0
    with pytest.raises(Unavailable, match="SQL__url is not set"):
        _ = services.metrics_tools


def test_with_a_database_it_is_asked_for_alerts_only_where_one_is_remembered():
    settings = read_settings(
        LEAST | {"SQL__url": "mssql://sql.example/trades"}, {"functionTimeout": "00:10:00"} | CONCURRENCY
    )

    services = Services().replace(settings=settings, reference=FakeReference(lambda: datetime.now(UTC)))

    assert retry_pending_alerts(services.alert_tools)["due"] == 0


def test_a_feeds_daily_lookups_are_made_from_the_pool_that_it_draws_from():
    settings = read_settings(LEAST, {"functionTimeout": "00:10:00"} | CONCURRENCY, [helpdesk.feed()])
    reference = FakeReference(lambda: datetime.now(UTC))
    services = Services().replace(settings=settings, reference=reference, pools=helpdesk)

    write_due_lookups(services.lookup_tools, datetime(2026, 11, 27, 12, tzinfo=UTC))

    assert list(reference.blobs) == ["dim_clientes/20261127.parquet"]
    assert services.enrichment_tools.lookups is services.lookup_tools
    assert services.housekeeping_tools.lookups == ("assets", "dim_clientes")


def test_an_unknown_name_is_an_error():
    with pytest.raises(AttributeError, match="'ledgre'"):
        Services().replace(ledgre=None)


def test_many_threads_at_once_get_the_same_one():
    services, clocks = Services(), []
    threads = [threading.Thread(target=lambda: clocks.append(services.clock)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(clock) for clock in clocks}) == 1
