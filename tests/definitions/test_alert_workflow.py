"""What the alert's workflow does, run by the emulator's engine: look up, mail, remember, answer."""

import pytest

from emulators.logic_app.connectors import Answer
from emulators.logic_app.reading import read_workflow
from emulators.logic_app.runs import run_workflow
from tests.architecture.tree import ROOT

BODY = {
    "alert_id": "trades:run/1:alert",
    "kind": "alert",
    "cause": "low",
    "table": "trades",
    "run_id": "run/1",
    "window": None,
    "ingestion_date": "2026-11-22",
    "ingestion_time": "10:00:00",
    "rows_count_delta": 12,
    "current_ingestion_table_state": 2034,
    "limits": {"floor": 1000, "low": None, "high": None, "median": None, "based_on": 2},
    "message": "Too <few> & far between.",
}


class FakeConnectors:
    """Answers each method and connector as it is set up, and keeps the calls."""

    def __init__(self, **statuses):
        self.statuses = {"azuretables_get": 404, "azuretables_post": 201, "office365_post": 200} | statuses
        self.calls = []

    def call(self, api, method, path, body):
        self.calls.append((f"{api}_{method}", path, body))
        return Answer(self.statuses[f"{api}_{method}"])

    @property
    def names(self):
        return [name for name, _, _ in self.calls]


def ran(workflow, connectors, **body):
    return run_workflow(workflow, connectors, BODY | body, "2026-11-22T10:01:00Z")


@pytest.fixture(scope="module")
def workflow():
    return read_workflow(ROOT / "definitions/logic_apps/ingestion_alert/workflow.json")


def test_a_new_alert_is_mailed_and_then_remembered(workflow):
    connectors = FakeConnectors()

    run = ran(workflow, connectors)

    assert connectors.names == ["azuretables_get", "office365_post", "azuretables_post"]
    assert (run.status, run.reply.status, run.reply.body) == ("Succeeded", 200, {"status": "sent"})


def test_the_mail_says_what_the_seeds_said_and_more(workflow):
    connectors = FakeConnectors()

    ran(workflow, connectors)

    mail = connectors.calls[1][2]
    assert (mail["To"], mail["Subject"]) == ("ingestion-alerts@example.com", "Ingestion Issues")
    for words in ("rows count delta = 12<", "Date: 2026-11-22", "Time: 10:00:00", "rows count: 2034", "Window: none"):
        assert words in mail["Body"]
    assert "Too &lt;few> &amp; far between." in mail["Body"]
    assert "at least 1000 rows, low not known yet" in mail["Body"]


def test_the_id_is_looked_up_by_the_keys_it_is_remembered_by(workflow):
    connectors = FakeConnectors()

    ran(workflow, connectors)

    (_, path, _), _, (_, _, entity) = connectors.calls
    assert path.endswith("entities(PartitionKey='trades',RowKey='trades%3Arun%7C1%3Aalert')")
    assert (entity["PartitionKey"], entity["RowKey"]) == ("trades", "trades:run|1:alert")


def test_a_repeated_alert_is_dropped(workflow):
    connectors = FakeConnectors(azuretables_get=200)

    run = ran(workflow, connectors)

    assert (connectors.names, run.reply.body) == (["azuretables_get"], {"status": "repeated"})


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("alert", "Ingestion Issues"),
        ("recovery", "Ingestion is back to normal: trades"),
        ("run_failed", "Enrichment run failed: trades"),
        ("unbalanced", "Window does not balance: trades"),
        ("window_lost", "Window was not ingested: trades"),
        ("spill_dead", "Records can't be delivered: trades"),
        ("stream_alert", "Records raise an alert: trades"),
    ],
)
def test_each_kind_has_its_own_mail(workflow, kind, subject):
    connectors = FakeConnectors()

    ran(workflow, connectors, kind=kind, limits=None)

    assert connectors.calls[1][2]["Subject"] == subject


def test_a_mail_that_fails_is_not_remembered_and_no_answer_is_given(workflow):
    connectors = FakeConnectors(office365_post=500)

    run = ran(workflow, connectors)

    assert connectors.names == ["azuretables_get", "office365_post"]
    assert (run.status, run.reply) == ("Failed", None)
    assert run.statuses["Remember_alert"] == run.statuses["Answer_sent"] == "Skipped"


def test_a_mail_that_was_sent_counts_even_where_it_can_not_be_remembered(workflow):
    run = ran(workflow, FakeConnectors(azuretables_post=500))

    assert (run.reply.status, run.statuses["Remember_alert"]) == (200, "Failed")


@pytest.mark.parametrize("status", [403, 500, 503])
def test_nothing_is_mailed_while_it_is_not_known_whether_it_was_before(workflow, status):
    connectors = FakeConnectors(azuretables_get=status)

    run = ran(workflow, connectors)

    assert (connectors.names, run.reply.status) == (["azuretables_get"], 503)
