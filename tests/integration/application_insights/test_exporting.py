"""What reaches an ingestion endpoint of what the app says; the exporter is Microsoft's own."""

import hashlib
import logging
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from opentelemetry.context import attach, detach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared import telemetry
from shared.clients.application_insights.exporting import InsightsAccount, start_exporting
from shared.clients.identity.credentials import Token
from shared.signals.metrics import RECORDS, SEND_DURATION, WINDOWS
from shared.signals.recording import record, record_span, record_try, record_window, sending
from tests.integration.application_insights.endpoint import endpoint

logger = logging.getLogger("shared.a_room")
WINDOW = "trades-20261122T100000Z"
TRACE = hashlib.sha256(WINDOW.encode()).hexdigest()[:32]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONFIGURED = {"feed": frozenset({"trades"}), "stream": frozenset({"trades"})}


@pytest.fixture
def insights():
    with endpoint() as kept:
        yield kept


@pytest.fixture
def exporting(insights):
    logger.setLevel(logging.INFO)
    started = start_exporting(InsightsAccount(insights.connection, None, "app", timedelta(hours=1)), CONFIGURED)
    yield started
    started.end()
    logger.setLevel(logging.NOTSET)


def test_a_line_arrives_with_its_text_and_each_field_as_a_property(insights, exporting):
    telemetry.info(logger, "slice.done", window=WINDOW, slice=3, stream="trades", read=12, name="any", none=None)
    exporting.end()

    (line,) = insights.of("MessageData")
    text = f"slice.done feed=trades window={WINDOW} slice=3 stream=trades read=12 name=any none=None"
    assert (line["message"], line["severityLevel"]) == (text, 1)
    given = {"event": "slice.done", "feed": "trades", "window": WINDOW, "slice": "3", "stream": "trades", "read": "12"}
    assert given.items() <= line["properties"].items()
    assert insights.operation_of("MessageData")[0][0] == TRACE


def test_a_fault_arrives_as_an_exception_with_its_stack_and_the_same_properties(insights, exporting):
    telemetry.error(logger, "window.no_alert", cause=ValueError("broken"), window=WINDOW)
    exporting.end()

    (fault,) = insights.of("ExceptionData")
    assert fault["exceptions"][0]["typeName"] == "ValueError"
    assert fault["exceptions"][0]["message"].startswith("window.no_alert feed=trades")
    assert (fault["severityLevel"], fault["properties"]["event"]) == (3, "window.no_alert")


async def test_a_line_told_in_a_thread_arrives_once(insights, exporting):
    await telemetry.in_thread(telemetry.info, logger, "work.begun", window=WINDOW)
    exporting.end()

    assert [line["properties"]["event"] for line in insights.of("MessageData")] == ["work.begun"]


def test_a_line_of_no_window_belongs_to_the_invocation_that_the_worker_set(insights, exporting):
    trace = "0af7651916cd43dd8448eb211c80319c"
    token = attach(TraceContextTextMapPropagator().extract({"traceparent": f"00-{trace}-b7ad6b7169203331-01"}))
    telemetry.info(logger, "work.begun")
    detach(token)
    exporting.end()

    assert insights.operation_of("MessageData") == [(trace, "b7ad6b7169203331")]


def test_a_warning_of_a_library_arrives_as_its_text(insights, exporting):
    logging.getLogger("azure.eventhub").warning("The link is gone: %s", "why")
    exporting.end()

    assert [line["message"] for line in insights.of("MessageData")] == ["The link is gone: why"]


class Known:
    """An identity that has a token for each scope."""

    client_id = "c"

    def token(self, scope):
        return Token(f"for {scope}", int(NOON.timestamp()) * 2)


def test_an_identity_sends_its_token_by_tls_to_an_endpoint_that_the_bundle_trusts(tmp_path):
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with endpoint(context) as insights:
        account = InsightsAccount(insights.connection, Known(), "app", timedelta(hours=1), f"{tmp_path / 'ca.pem'}")
        started = start_exporting(account, CONFIGURED)
        logging.getLogger("shared.a_room").warning("Said.")
        started.end()

    assert [line["message"] for line in insights.of("MessageData")] == ["Said."]
    assert insights.logins == {"Bearer for https://monitor.azure.com//.default"}


def test_metrics_arrive_with_their_dimensions_and_a_value_that_no_set_has_is_other(insights, exporting):
    record(RECORDS, 7, feed="trades", stream="trades", outcome="accepted")
    record(RECORDS, 5, feed="trades", stream="trades", outcome="accepted")
    record(WINDOWS, 2, feed="unheard_of", state="open")
    record(SEND_DURATION, 0.5, stream="trades", sink="hub")
    record(SEND_DURATION, 1.5, stream="trades", sink="hub")
    exporting.end()

    points = {
        each["metrics"][0]["name"]: (each["metrics"][0], each["properties"]) for each in insights.of("MetricData")
    }
    records, sends = points["ingestion.records"], points["ingestion.send.duration"]
    assert records[0]["value"] == 12
    assert records[1] == {"feed": "trades", "stream": "trades", "outcome": "accepted"}
    assert points["ingestion.windows"][1] == {"feed": "other", "state": "open"}
    assert {"value": 2.0, "count": 2, "min": 0.5, "max": 1.5}.items() <= sends[0].items()


def test_the_spans_of_a_window_are_one_trace_whoever_tells_them(insights, exporting):
    second = NOON + timedelta(seconds=1)
    with sending(f"{WINDOW}/3.2", "trades", "hub", lambda: second):
        pass
    record_try(f"{WINDOW}/3.2", NOON, second, failure="The venue is away.")
    record_span("run", WINDOW, NOON, second, run=17, url="https://databricks.test/run/17")
    record_window(WINDOW, NOON, NOON + timedelta(minutes=1), state="closed", attempt=1)
    exporting.end()

    (window,), spans = insights.of("RequestData"), {each["name"]: each for each in insights.of("RemoteDependencyData")}
    parents = dict(zip(spans, insights.operation_of("RemoteDependencyData"), strict=True))
    assert {trace for trace, _ in parents.values()} | {insights.operation_of("RequestData")[0][0]} == {TRACE}
    assert {name: parent for name, (_, parent) in parents.items()} == {
        "send": spans["slice"]["id"],
        "slice": window["id"],
        "run": window["id"],
    }
    assert window["id"] == hashlib.sha256(WINDOW.encode()).hexdigest()[32:48]
    assert (window["duration"], window["success"]) == ("0.00:01:00.000", True)
    assert (spans["slice"]["success"], spans["slice"]["properties"]["slice"]) == (False, "3")
    assert spans["run"]["properties"]["url"] == "https://databricks.test/run/17"
    assert spans["send"]["properties"]["attempt"] == "2"
