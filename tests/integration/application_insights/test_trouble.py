"""Whatever ails the ingestion endpoint, the app neither waits for it nor says so, and keeps a bounded amount."""

import logging
import threading
import time
from datetime import timedelta

import pytest

from shared import telemetry
from shared.clients.application_insights import exporting
from shared.clients.application_insights.exporting import InsightsAccount, start_exporting
from shared.errors import LoginRefused
from shared.signals.metrics import TICKS
from shared.signals.recording import record
from tests.integration.application_insights.endpoint import KEY, endpoint

logger = logging.getLogger("shared.a_room")
AWAY = f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:1/"
NEVER = timedelta(hours=1)
MOST_KEPT = 200


class Heard(logging.Handler):
    """Keeps what any logger says."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Refused:
    """An identity that gets no token."""

    client_id = "c"

    def token(self, scope):
        logging.getLogger("azure.identity").warning("No token.")
        raise LoginRefused("client id c got no token")


@pytest.fixture
def heard():
    handler, root = Heard(), logging.getLogger()
    root.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(exporting, "MOST_KEPT", MOST_KEPT)
    monkeypatch.setattr(exporting, "_BATCH", 50)
    monkeypatch.setattr(exporting, "_LAST_CHANCE", 2.0)
    monkeypatch.setitem(exporting._LIMITS, "retry_total", 1)
    monkeypatch.setitem(exporting._LIMITS, "read_timeout", 0.5)


def told(account):
    """Say more through an exporter than it keeps, and end it."""
    started = start_exporting(account, {})
    for number in range(3 * MOST_KEPT):
        telemetry.info(logger, "work.done", number=number)
    record(TICKS, 1, timer="keep_in_order")
    started.end()


def ours(heard):
    return [line for line in heard.lines if line.startswith("work.done")]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_an_endpoint_that_refuses_is_no_word_in_the_log(heard, status):
    with endpoint() as insights:
        insights.status = status
        told(InsightsAccount(insights.connection, None, "app", NEVER))

        assert insights.asked.is_set()
    assert len(heard.lines) == len(ours(heard)) == 3 * MOST_KEPT


def test_an_endpoint_that_is_away_is_no_word_in_the_log(heard):
    told(InsightsAccount(AWAY, None, "app", NEVER))

    assert len(heard.lines) == len(ours(heard)) == 3 * MOST_KEPT


def test_a_login_that_is_refused_is_no_word_in_the_log(heard):
    with endpoint() as insights:
        told(InsightsAccount(insights.connection.replace("http://", "https://"), Refused(), "app", NEVER))

    assert len(heard.lines) == len(ours(heard)) == 3 * MOST_KEPT


def test_an_endpoint_that_hangs_holds_up_neither_the_app_nor_its_end(monkeypatch, heard):
    monkeypatch.setitem(exporting._LIMITS, "read_timeout", 60.0)
    with endpoint() as insights:
        insights.gate.clear()
        began = time.perf_counter()
        told(InsightsAccount(insights.connection, None, "app", NEVER))

        assert time.perf_counter() - began < 15
    assert len(heard.lines) == 3 * MOST_KEPT


def test_of_what_is_said_while_an_endpoint_hangs_the_newest_is_kept(monkeypatch, heard):
    monkeypatch.setitem(exporting._LIMITS, "read_timeout", 60.0)
    with endpoint() as insights:
        insights.gate.clear()
        started = start_exporting(InsightsAccount(insights.connection, None, "app", NEVER), {})
        for number in range(50):  # a batch, which is sent at once
            telemetry.info(logger, "work.begun", number=number)
        insights.asked.wait(10)
        for number in range(3 * MOST_KEPT):
            telemetry.info(logger, "work.done", number=number)
        insights.gate.set()
        started.end()

        lines = [each["properties"] for each in insights.of("MessageData")]
    arrived = [int(line["number"]) for line in lines if line["event"] == "work.done"]
    assert sorted(arrived) == list(range(2 * MOST_KEPT, 3 * MOST_KEPT))


def test_what_sends_ends_with_its_threads():
    before = set(threading.enumerate())
    with endpoint() as insights:
        start_exporting(InsightsAccount(insights.connection, None, "app", NEVER), {}).end()

    assert [thread.name for thread in threading.enumerate() if thread not in before] == []
