from datetime import UTC, datetime

from emulators.functions_host.durable.model import Instance, Parent
from emulators.functions_host.durable.status import status_document

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def instance(**fields):
    return Instance("win-1", "e", "n", "Running", NOW, NOW, **fields)


def test_json_text_inside_json_text_is_shown_as_text():
    shown = status_document(instance(input='"{\\"a\\": 1}"', custom_status='{"x": 1}'), with_input=True)

    assert (shown["input"], shown["customStatus"], shown["output"]) == ('{"a": 1}', {"x": 1}, None)
    assert shown["createdTime"] == "2026-01-01T00:00:00Z"


def test_the_status_of_a_child_names_its_parent_and_no_other_does():
    child = status_document(instance(parent=Parent("the-window", "pe", 3)), with_input=True)

    assert child["parentInstanceId"] == "the-window"
    assert "parentInstanceId" not in status_document(instance(), with_input=True)


def test_an_input_that_is_an_empty_text_is_shown_as_it_is():
    assert status_document(instance(input=""), with_input=True)["input"] == ""
