"""The official exporter against the endpoint: what arrives as rows, and what it does when that goes wrong."""

import shutil
import time

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs.export import LogRecordExportResult

from tests.integration.application_insights.conftest import running_endpoint
from tests.integration.application_insights.telemetry import WINDOW, DemoWindow, line, line_exporter

DONE, FAILED = LogRecordExportResult.SUCCESS, LogRecordExportResult.FAILURE


def messages(endpoint):
    return [row["Message"] for row in endpoint.rows("AppTraces")]


@pytest.fixture
def storing(endpoint, tmp_path):
    exporter = line_exporter(endpoint, storage_directory=str(tmp_path / "stored"))
    yield exporter
    exporter.shutdown()


@pytest.fixture
def forgetting(endpoint):
    return line_exporter(endpoint)


def test_lines_arrive_with_their_fields_as_properties(endpoint):
    DemoWindow(endpoint).send()

    closed = endpoint.rows("AppTraces")[-1]
    assert (closed["Message"], closed["SeverityLevel"]) == ("window.closed feed=trades", 1)
    assert closed["Properties"] == {"event": "window.closed", "feed": "trades", "window": WINDOW}
    assert (closed["AppRoleName"], closed["AppRoleInstance"]) == ("reactive-ingestion", "one")
    # What the exporter writes for a line outside a span.
    assert (closed["OperationId"], closed["ParentId"]) == ("0" * 32, "0" * 16)


def test_spans_arrive_as_dependencies_of_one_operation(endpoint):
    DemoWindow(endpoint).send()

    spans = {row["Name"]: row for row in endpoint.rows("AppDependencies")}
    assert list(spans) == ["send", "slice", "run", "window"]
    assert {row["OperationId"] for row in spans.values()} == {spans["window"]["OperationId"]}
    assert spans["send"]["ParentId"] == spans["slice"]["Id"]
    assert spans["slice"]["ParentId"] == spans["run"]["ParentId"] == spans["window"]["Id"]
    assert "ParentId" not in spans["window"]
    assert (spans["send"]["Success"], spans["slice"]["Success"]) == (False, True)
    assert spans["window"]["Properties"] == {"feed": "trades", "window": WINDOW, "state": "closed"}
    assert spans["window"]["DurationMs"] >= spans["slice"]["DurationMs"]


def test_metrics_arrive_with_their_dimensions(endpoint):
    DemoWindow(endpoint).send()

    rows = {row["Name"]: row for row in endpoint.rows("AppMetrics")}
    sends = rows["ingestion.send.duration"]
    assert (sends["Sum"], sends["Min"], sends["Max"], sends["ItemCount"]) == (0.75, 0.25, 0.5, 2)
    assert sends["Properties"] == {"stream": "trades", "sink": "hub"}
    assert (rows["ingestion.windows.ended"]["Sum"], rows["ingestion.waiting.age"]["Sum"]) == (1.0, 0.0)


def test_a_line_with_an_exception_arrives_among_the_exceptions(forgetting, endpoint):
    forgetting.export(
        [
            line(
                "slice.failed feed=trades",
                SeverityNumber.ERROR,
                feed="trades",
                exception_type="ValueError",
                exception_message="boo",
                exception_stacktrace="Traceback …",
            )
        ]
    )

    (row,) = endpoint.rows("AppExceptions")
    assert messages(endpoint) == []
    assert (row["ExceptionType"], row["OuterMessage"]) == ("ValueError", "slice.failed feed=trades")
    assert (row["Properties"], row["Details"][0]["stack"]) == ({"feed": "trades"}, "Traceback …")


def test_pages_show_the_window_its_trace_its_metrics_and_its_lines(endpoint):
    DemoWindow(endpoint).send()
    DemoWindow(endpoint).send(feed="gps", window="gps-1")

    trace = next(row["OperationId"] for row in endpoint.rows("AppDependencies"))
    assert WINDOW in endpoint.page("/")
    assert all(text in endpoint.page(f"/traces/{trace}") for text in ("slice.sent", "attempt=1", "https://host/#job"))
    assert "ingestion.send.duration" in endpoint.page("/metrics")
    shown = endpoint.page("/lines?feed=gps")
    assert "feed=gps" in shown
    assert "feed=trades" not in shown


@pytest.mark.parametrize("status", [500, 503, 504])
def test_an_error_of_the_server_is_tried_again_at_once(forgetting, endpoint, status):
    endpoint.fail("unavailable", status=status)

    assert forgetting.export([line("a")]) is DONE
    assert (messages(endpoint), endpoint.requests()) == (["a"], 2)


def test_what_fails_again_and_again_is_lost_without_storage(forgetting, endpoint):
    endpoint.fail("unavailable", status=500, count=4)

    assert forgetting.export([line("a")]) is FAILED
    assert forgetting.export([line("b")]) is DONE
    assert (messages(endpoint), endpoint.requests()) == (["b"], 5)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "unavailable", "status": 500, "count": 4},
        {"kind": "unavailable", "status": 502},
        {"kind": "too_many_requests"},
        {"kind": "denied", "status": 401},
        {"kind": "denied"},
    ],
)
def test_with_storage_it_is_sent_after_the_next_success(storing, endpoint, fault):
    endpoint.fail(**fault)

    assert storing.export([line("a")]) is FAILED
    assert messages(endpoint) == []
    assert storing.export([line("b")]) is DONE
    assert messages(endpoint) == ["b", "a"]


@pytest.mark.parametrize("kind", ["too_many_requests", "quota"])
def test_a_time_to_wait_is_waited_in_the_thread_that_exports_whatever_the_status(forgetting, endpoint, kind):
    endpoint.fail(kind, retry_after=1)
    begun = time.monotonic()

    assert forgetting.export([line("a")]) is DONE
    assert time.monotonic() - begun >= 1
    assert endpoint.requests() == 2


def test_too_many_requests_without_a_time_to_wait_are_lost_without_storage(forgetting, endpoint):
    endpoint.fail("too_many_requests")

    assert forgetting.export([line("a")]) is FAILED
    assert (messages(endpoint), endpoint.requests()) == ([], 1)


def test_of_a_partial_failure_only_the_items_that_failed_are_sent_again(storing, endpoint):
    endpoint.fail("partial", status=500)

    # The exporter calls it a failure, whatever was accepted.
    assert storing.export([line("a"), line("b")]) is FAILED
    assert messages(endpoint) == ["b"]
    assert storing.export([line("c")]) is DONE
    assert messages(endpoint) == ["b", "c", "a"]


@pytest.mark.parametrize("status", [400, 206])
def test_items_that_were_refused_or_sampled_out_are_not_sent_again(storing, endpoint, status):
    endpoint.fail("partial", status=status)

    storing.export([line("a"), line("b")])
    storing.export([line("c")])

    assert (messages(endpoint), endpoint.requests()) == (["b", "c"], 2)


@pytest.mark.parametrize("fault", [{"kind": "quota"}, {"kind": "quota", "status": 439}, {"kind": "too_large"}], ids=str)
def test_what_is_over_the_quota_or_too_large_is_dropped_even_with_storage(storing, endpoint, fault):
    endpoint.fail(**fault)

    assert storing.export([line("a")]) is FAILED
    assert storing.export([line("b")]) is DONE
    assert messages(endpoint) == ["b"]


def test_a_wrong_instrumentation_key_is_refused_and_nothing_is_kept(endpoint):
    _, _, rest = endpoint.connection_string.partition(";")
    endpoint.connection_string = f"InstrumentationKey=11111111-2222-3333-4444-555555555555;{rest}"

    assert line_exporter(endpoint).export([line("a")]) is FAILED
    assert messages(endpoint) == []


def test_a_lost_answer_makes_the_items_come_twice(storing, endpoint):
    endpoint.fail("lost_answer")

    assert storing.export([line("a")]) is FAILED
    assert storing.export([line("b")]) is DONE
    assert messages(endpoint) == ["a", "b", "a"]


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_on_the_same_host_is_followed_and_remembered(forgetting, endpoint, tmp_path, status):
    (tmp_path / "another").mkdir()
    shutil.copy(tmp_path / "state/instrumentation.key", tmp_path / "another")
    with running_endpoint(tmp_path / "another") as other:
        location = f"{other.ingestion.replace('localhost', '127.0.0.1')}/v2.1/track"
        endpoint.fail("redirect", status=status, location=location)

        results = [forgetting.export([line(text)]) for text in "ab"]

        assert results == [DONE, DONE]
        assert (messages(endpoint), messages(other)) == ([], ["a", "b"])


def test_a_redirect_to_another_host_is_refused(forgetting, endpoint):
    endpoint.fail("redirect", location="http://elsewhere.invalid/v2.1/track")

    assert forgetting.export([line("a")]) is FAILED
    assert messages(endpoint) == []
