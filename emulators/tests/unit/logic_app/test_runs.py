import pytest

from emulators.logic_app.connectors import Answer
from emulators.logic_app.runs import run_workflow

BODY = {
    "order_id": "north:2026/1",
    "kind": "shipped",
    "shop": "north",
    "day": None,
    "items": 12,
    "details": {"weight": None},
    "message": "Packed <well> & sent.",
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


@pytest.fixture
def workflow(document, read):
    return read(document)


def test_actions_run_in_the_order_of_run_after(workflow):
    connectors = FakeConnectors()

    run = ran(workflow, connectors)

    assert connectors.names == ["azuretables_get", "office365_post", "azuretables_post"]
    assert (run.status, run.reply.status, run.reply.body) == ("Succeeded", 200, {"status": "sent"})


def test_expressions_in_a_body_are_replaced_by_their_values(workflow):
    connectors = FakeConnectors()

    ran(workflow, connectors)

    mail = connectors.calls[1][2]
    assert (mail["To"], mail["Subject"]) == ("shop@example.com", "Order shipped")
    for text in ("Items: 12<", "Weight: not known<", "Packed &lt;well> &amp; sent."):
        assert text in mail["Body"]


def test_expressions_in_a_path_are_encoded_as_they_say(workflow):
    connectors = FakeConnectors()

    ran(workflow, connectors)

    (_, path, _), _, (_, _, entity) = connectors.calls
    assert path.endswith("entities(PartitionKey='north',RowKey='north%3A2026%7C1')")
    assert entity == {"PartitionKey": "north", "RowKey": "north:2026|1", "sent_at": "2026-11-22T10:01:00Z"}


@pytest.mark.parametrize(
    ("found", "answered", "body"),
    [(200, 200, {"status": "repeated"}), (403, 503, {"status": "try_later"}), (500, 503, {"status": "try_later"})],
)
def test_a_switch_takes_the_case_of_its_value_or_the_default(workflow, found, answered, body):
    connectors = FakeConnectors(azuretables_get=found)

    run = ran(workflow, connectors)

    assert (connectors.names, run.reply.status, run.reply.body) == (["azuretables_get"], answered, body)


@pytest.mark.parametrize(
    ("kind", "subjects"), [("shipped", ["Order shipped"]), ("cancelled", ["Order cancelled: north"]), ("lost", [])]
)
def test_a_switch_in_a_case_chooses_by_itself(workflow, kind, subjects):
    connectors = FakeConnectors()

    ran(workflow, connectors, kind=kind)

    assert [body["Subject"] for name, _, body in connectors.calls if name == "office365_post"] == subjects


def test_what_runs_only_after_success_is_skipped_after_a_failure(workflow):
    connectors = FakeConnectors(office365_post=500)

    run = ran(workflow, connectors)

    assert connectors.names == ["azuretables_get", "office365_post"]
    assert (run.status, run.reply) == ("Failed", None)
    assert run.statuses["Remember_order"] == run.statuses["Answer_sent"] == "Skipped"


def test_what_runs_after_a_failure_too_handles_it(workflow):
    run = ran(workflow, FakeConnectors(azuretables_post=500))

    assert (run.reply.status, run.statuses["Remember_order"], run.status) == (200, "Failed", "Succeeded")


def test_an_expression_without_a_value_fails_its_action(document, read):
    document["definition"]["actions"]["Find_order"]["inputs"]["body"] = "@triggerBody()['nothing']"

    run = ran(read(document), FakeConnectors())

    assert run.statuses["Find_order"] == "Failed"
