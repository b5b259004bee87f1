"""A login service that says "not now" once, in each of its ways, costs every client time and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from emulators.tls import server_context
from shared.clients.databricks_jobs.jobs import DatabricksJobs
from shared.clients.event_grid.topic import EventGridTopic
from shared.clients.identity.credentials import make_identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.reference import blob_reference
from shared.clients.storage.tables import Query, tables_of
from shared.domain.failures import FailureKind
from shared.domain.windows.announcement import opening
from shared.domain.windows.window import Window
from shared.errors import Unavailable
from tests.integration.identity.entra import PASSING
from tests.integration.jobs_client.peer import Answer, running_peer

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
QUICK = RetryPolicy(Timeouts(total=8.0, attempt=4.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
passing = pytest.mark.parametrize("fault", PASSING, ids=lambda fault: "-".join(str(value) for value in fault.values()))


@pytest.fixture
def peer(entra):
    """A service that takes whatever comes with a token, and remembers it."""
    with running_peer(tls=server_context(entra.tls.server)) as peer:
        yield peer


def bearers(peer):
    return {headers.get("Authorization", "").partition(" ")[0] for _, _, headers, _ in peer.asked}


@passing
def test_databricks_is_asked_with_the_token_that_comes_then(entra, peer, fault):
    entra.order(**fault)
    peer.answers = [Answer(body=b'{"run_id": 7}')]
    jobs = DatabricksJobs(peer.url, make_identity(entra.login), ca_bundle=entra.login.ca_bundle, retry=QUICK)

    assert jobs.run_now(1, "token", {}) == 7

    assert bearers(peer) == {"Bearer"}
    assert entra.injected() == []


@passing
def test_the_topic_gets_the_opening_with_the_token_that_comes_then(entra, peer, fault):
    entra.order(**fault)
    peer.answers = [Answer(body=b"")]
    identity = make_identity(entra.login)

    EventGridTopic(f"{peer.url}/api/events", identity, ca_bundle=entra.login.ca_bundle, retry=QUICK).publish(
        opening(Window("trades", TEN, TEN + timedelta(hours=1)))
    )

    assert bearers(peer) == {"Bearer"}
    assert entra.injected() == []


@passing
def test_a_table_is_read_with_the_token_that_comes_then(entra, peer, fault):
    entra.order(**fault)
    peer.answers = [Answer(204, b""), Answer(body=b'{"value": []}', headers={"Content-Type": "application/json"})]
    tables = tables_of(Account(None, peer.url, make_identity(entra.login), entra.login.ca_bundle))

    assert tables.query("windows", Query("trades")) == []

    assert bearers(peer) == {"Bearer"}
    assert entra.injected() == []


@passing
def test_a_blob_is_read_with_the_token_that_comes_then(entra, peer, fault):
    entra.order(**fault)
    peer.answers = [Answer(404, b"", {"x-ms-error-code": "BlobNotFound"})]
    identity, bundle = make_identity(entra.login), entra.login.ca_bundle

    assert blob_reference(Account(None, peer.url, identity, bundle), QUICK).read("nothing") is None

    assert bearers(peer) == {"Bearer"}
    assert entra.injected() == []


def test_a_wait_that_does_not_fit_is_told_to_the_caller_and_nobody_asks_within_it(entra, peer):
    entra.order(kind="throttled", retry_after="960", count=9)
    jobs = DatabricksJobs(peer.url, make_identity(entra.login), ca_bundle=entra.login.ca_bundle, retry=QUICK)

    waits = []
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"AADSTS90055: There are too many incoming requests\.") as caught:
            jobs.find("queued")
        waits.append(caught.value)

    assert [wait.kind for wait in waits] == [FailureKind.THROTTLED] * 2
    assert all(950 < wait.retry_after <= 960 for wait in waits)
    assert entra.injected() == [8]
    assert peer.asked == []


def test_trouble_that_lasts_ends_in_the_login_services_words(entra, peer):
    entra.order(kind="transient", count=1_000)
    hasty = RetryPolicy(Timeouts(total=0.5, attempt=0.4, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
    jobs = DatabricksJobs(peer.url, make_identity(entra.login), ca_bundle=entra.login.ca_bundle, retry=hasty)

    with pytest.raises(
        Unavailable, match=r"AADSTS90033: A transient error has occurred\. Please try again\. \(tries: "
    ):
        jobs.find("queued")
