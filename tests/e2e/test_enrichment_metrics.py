"""Measurements and alerts on the whole platform: a run is measured once, and a wrong volume reaches a person once."""

import re
from collections import Counter

import pytest
import requests

from tests.e2e.measuring import Measuring
from tests.e2e.running_app import secrets_in_logs

ASKED = {"table": "trades", "run_id": "r", "ingestion_time": "2026-11-22"}


@pytest.fixture(scope="module")
def measuring(enrichment):
    return Measuring(enrichment.app)


@pytest.fixture(scope="module")
def window_id(measuring, lookups):
    """A window of trades that has ended, and to which 1,200 rows of SQL belong now."""
    found = lookups.result()["500"].window
    measuring.fill(found, 1200)
    return found


@pytest.fixture(scope="module")
def empty_window(enrichment):
    """A window that SQL has no rows of."""
    return enrichment.past("payments")


def test_data_factory_is_answered_with_counts_limits_and_verdict(measuring, window_id):
    answer = measuring.post(ingestion_table="factory", run_id="adf-1", window=window_id)

    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["rows_count_delta"], told["verdict"], told["alert"]) == (
        "recorded",
        1200,
        "first",
        "none",
    )
    assert (told["all_ingested_rows"], told["limits"]["floor"]) == (1200, 1000)


def test_three_tries_of_a_pipelines_run_make_one_row_and_one_mail(measuring, window_id):
    tries = [measuring.post(table="retried", run_id="adf-retried", window=window_id).json() for _ in range(3)]

    assert [told["status"] for told in tries] == ["recorded", "repeated", "repeated"]
    assert {(told["rows_count_delta"], told["verdict"], told["alert"]) for told in tries} == {(1200, "low", "sent")}
    assert len(measuring.measurements("retried")) == 1
    assert len(measuring.mails_about("adf-retried")) == 1


def test_the_same_run_by_many_at_once_is_measured_and_told_once(measuring):
    body = {"table": "crowded", "run_id": "adf-crowd", "ingestion_time": "2026-11-22T12:00:00Z"}

    answers = measuring.app.at_once(20, "POST", "/api/metrics", body)

    assert Counter(answer.json()["status"] for answer in answers) == {"recorded": 1, "repeated": 19}
    assert len(measuring.measurements("crowded")) == len(measuring.mails_about("adf-crowd")) == 1


def test_the_first_normal_run_after_an_alert_tells_that_all_is_well(measuring, window_id, empty_window):
    low = measuring.post(table="recovering", run_id="adf-few", window=empty_window)
    well = measuring.post(table="recovering", run_id="adf-enough", window=window_id)

    assert (low.json()["verdict"], low.json()["alert"]) == ("low", "sent")
    assert (well.json()["verdict"], well.json()["alert"]) == ("normal", "sent")
    assert "has recovered" in measuring.mail_about("adf-enough")["text"]


def test_a_run_that_brought_too_little_is_told_without_any_call(measuring, lookups):
    brought_nothing = lookups.result()["troubled"].window

    told = measuring.measured("trades", window=brought_nothing)

    assert (told["rows_count_delta"], told["verdict"], told["alert"]) == (0, "low", "sent")
    (mail,) = measuring.mails_about(brought_nothing)
    assert mail["subject"] == "Ingestion Issues"
    assert "fewer than the 1,000 that are expected" in mail["text"]


def test_a_run_that_failed_is_told_in_databricks_own_words(enrichment, measuring):
    window_id = enrichment.past("payments", "fail")
    run = enrichment.ended(window_id)

    mail = measuring.mail_about(window_id)

    assert (run["state"], mail["subject"]) == ("failed", "Enrichment run failed: transactions")
    assert f"failed in run {run['run_id']}: {run['message'][:40]}" in mail["text"]


def test_a_run_that_gave_up_is_a_failure_that_is_told_with_its_reason(enrichment, measuring):
    window_id = enrichment.past("payments", "give up")
    run = enrichment.ended(window_id)

    mail = measuring.mail_about(window_id)

    words = f"nobody marked the end of {window_id}."
    assert run["state"] == "failed"
    assert "gave up at " in run["message"]
    assert run["message"].endswith(words)
    assert mail["subject"] == "Enrichment run failed: transactions"
    assert words in " ".join(mail["text"].split())


def test_a_window_that_nobody_reconciled_is_told_though_its_run_succeeded(enrichment, measuring):
    window_id = enrichment.past("payments", "count nothing")
    run = enrichment.ended(window_id)

    mail = measuring.mail_about(window_id)

    assert (run["state"], enrichment.app.window(window_id)["enrichment"]["reconciliation"]) == ("succeeded", None)
    assert "transactions: it was not reconciled" in " ".join(mail["text"].split())


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"[]", 400, None),
        (b'"Trades"', 400, None),
        (b" " * 70_000, 413, None),
        (ASKED | {"table": "Trades; DROP TABLE Trades"}, 400, "table"),
        (ASKED | {"run_id": ""}, 400, "run_id"),
        (ASKED | {"ingestion_time": "yesterday"}, 400, "ingestion_time"),
        (ASKED | {"window": "trades-1"}, 404, "window"),
        (ASKED | {"logic_app_url": "https://example.com"}, 400, "logic_app_url"),
    ],
)
def test_what_is_wrong_is_answered_with_an_object_that_names_it(measuring, body, status, field):
    headers = {"Content-Type": "application/json", "x-functions-key": measuring.app.key}
    content = {"data": body} if isinstance(body, bytes) else {"json": body}

    answer = requests.post(f"{measuring.app.url}/api/metrics", headers=headers, timeout=30, **content)

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    assert answer.json()["error"]["message"]


def test_what_is_not_sent_as_json_is_415(measuring):
    assert measuring.app.call("POST", "/api/metrics", body=b"table=trades").status_code == 415


def test_a_run_with_another_body_is_a_conflict(measuring, window_id):
    measuring.post(table="conflicting", run_id="adf-2")

    answer = measuring.post(table="conflicting", run_id="adf-2", window=window_id)

    assert (answer.status_code, answer.json()["error"]["field"]) == (409, "run_id")


def test_a_database_that_is_busy_for_a_while_is_waited_for(measuring):
    with measuring.busy(seconds=7):
        answer = measuring.post(table="patient", run_id="adf-3")

    assert (answer.status_code, answer.json()["status"]) == (200, "recorded")


def test_an_alert_whose_answer_was_lost_is_sent_again_by_the_timer_and_makes_no_second_mail(measuring, late_alert):
    assert (late_alert["status"], late_alert["alert"]) == ("recorded", "pending")

    measuring.measured("late", run_id="adf-late", alert="sent")

    assert len(measuring.mails_about("adf-late")) == 1


def test_no_secret_is_in_any_log_or_answer(enrichment, measuring):
    app = enrichment.app
    state = app.running.state
    canaries = [path.read_text(encoding="utf-8") for path in (state.topic_key, state.assets_key)]
    canaries += [*measuring.signatures(), app.running.identities.client_in_role("Sender").secret]
    canaries.append(re.search("AccountKey=([^;]+)", app.running.addresses["storage"]["connection_string"])[1])
    answers = [
        app.call("GET", "/api/metrics?table=nothing").text,
        app.call("GET", "/api/windows").text,
        measuring.post(table="trades", run_id="?").text,
    ]

    assert len(canaries) >= 5
    assert [one for one in canaries if any(one in answer for answer in answers)] == []
    assert secrets_in_logs(app, *canaries) == []
