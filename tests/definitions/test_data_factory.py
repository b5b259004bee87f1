"""The Data Factory's files hold together: they refer only to what exists in them."""

import json
import re
from itertools import pairwise

import pytest

from tests.definitions.expressions import FUNCTIONS
from tests.definitions.factory import (
    FACTORY,
    FOLDERS,
    activities,
    document,
    expressions,
    names,
    outputs_named,
    paths,
    properties,
    references,
    walk,
)

PIPELINES = names("pipeline")
SOURCES = {"activity", "dataset", "item", "linkedService", "pipeline", "trigger", "triggerBody", "variables"}


def scopes():
    """Give each file's folder and name."""
    return [tuple(path.removesuffix(".json").split("/")) for path in paths()]


def declared(folder, name):
    """Give the parameters of a file, with whether each has a default."""
    found = properties(folder, name)
    if folder == "dataflow":
        script = "\n".join(found["typeProperties"]["scriptLines"])
        listed = re.search(r"parameters\{(.*?)\}", script, re.DOTALL)
        return dict.fromkeys(re.findall(r"(\w+) as ", listed[1]) if listed else [], False)
    return {key: "defaultValue" in value for key, value in found.get("parameters", {}).items()}


def test_the_folders_are_those_of_the_tool():
    assert {path.split("/")[0] for path in paths()} == set(FOLDERS.values())
    assert {len(path.split("/")) for path in paths()} == {2}


@pytest.mark.parametrize("path", paths())
def test_a_file_is_json_and_bears_the_name_of_what_it_holds(path):
    found = json.loads((FACTORY / path).read_bytes())

    assert path.endswith(f"/{found['name']}.json")
    assert isinstance(found["properties"], dict)


@pytest.mark.parametrize(("folder", "name"), scopes())
def test_every_reference_exists_and_is_given_the_parameters_it_wants(folder, name):
    for found in references(document(folder, name)):
        target = FOLDERS[found["type"].removesuffix("Reference")]
        assert found["referenceName"] in names(target)
        wanted, given = declared(target, found["referenceName"]), set(found.get("parameters", {}))
        assert given <= set(wanted), found
        if folder != "dataflow":  # its datasets get theirs from the activity that runs it
            assert {key for key, optional in wanted.items() if not optional} <= given, found


def test_nothing_lies_there_unused():
    used = {
        (FOLDERS[found["type"].removesuffix("Reference")], found["referenceName"])
        for folder, name in scopes()
        for found in references(document(folder, name))
    }

    assert {scope for scope in scopes() if scope[0] not in {"trigger", "factory"}} == used


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_activities_have_names_of_their_own_and_wait_only_for_each_other(pipeline):
    found = [activity.name for activity in activities(pipeline)]

    assert len(found) == len(set(found))


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_an_activity_reads_only_what_has_ended_before_it(pipeline):
    for activity in activities(pipeline):
        ended = activity.earlier | {one.name for one in activity.inner}
        for text in expressions(activity.own):
            assert {name for name, _ in outputs_named(text)} <= ended, text


@pytest.mark.parametrize(
    ("word", "folder", "kind"),
    [
        (r"pipeline\(\)\.parameters", "pipeline", "parameters"),
        (r"variables", "pipeline", "variables"),
        (r"dataset\(\)", "dataset", "parameters"),
        (r"linkedService\(\)", "linkedService", "parameters"),
    ],
)
def test_every_parameter_and_variable_is_declared_and_used(word, folder, kind):
    for name in names(folder):
        found = properties(folder, name)
        body = {key: value for key, value in found.items() if key not in {"parameters", "variables"}}
        pattern = rf"{word}\('(\w+)'\)" if kind == "variables" else rf"{word}\.(\w+)"
        used = {match for text in expressions(body) for match in re.findall(pattern, text)}
        assert used == set(found.get(kind, {})), name


def test_every_global_parameter_is_declared_and_used():
    used = {
        match
        for name in PIPELINES
        for text in expressions(document("pipeline", name))
        for match in re.findall(r"globalParameters\.(\w+)", text)
    }

    assert used == set(properties("factory", "reactive-ingestion")["globalParameters"])


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_variables_are_set_by_their_names(pipeline):
    found = [one.body["typeProperties"] for one in activities(pipeline) if one.body["type"] == "SetVariable"]

    assert {one["variableName"] for one in found} == set(properties("pipeline", pipeline).get("variables", {}))


@pytest.mark.parametrize(("folder", "name"), scopes())
def test_expressions_call_functions_that_data_factory_has(folder, name):
    called = {word for text in expressions(document(folder, name)) for word in re.findall(r"([A-Za-z]\w*)\(", text)}

    assert called <= SOURCES | FUNCTIONS | {"addMinutes"}


@pytest.mark.parametrize(("folder", "name"), scopes())
def test_an_expression_is_closed_and_marked_as_one(folder, name):
    marked = {
        id(value["value"])
        for value in walk(document(folder, name))
        if isinstance(value, dict) and value.get("type") == "Expression"
    }
    for text in expressions(document(folder, name)):
        assert text.count("(") == text.count(")")
        assert text.count("'") % 2 == 0
        assert id(text) in marked or folder in {"trigger", "linkedService"}, text


def test_the_datasets_of_a_data_flow_get_their_parameters_from_its_activity():
    flow = next(one for one in activities("TradesStreamEnrichment") if one.body["type"] == "ExecuteDataFlow")
    parts = properties("dataflow", "PrepareForLookup")["typeProperties"]

    given = flow.body["typeProperties"]["dataflow"]["datasetParameters"]

    wanted = {
        part["name"]: set(declared("dataset", part["dataset"]["referenceName"]))
        for part in parts["sources"] + parts["sinks"]
    }
    assert {name: set(values) for name, values in given.items()} == wanted


def test_the_script_of_the_data_flow_makes_exactly_the_streams_it_names():
    parts = properties("dataflow", "PrepareForLookup")["typeProperties"]
    script = "\n".join(parts["scriptLines"])

    made = re.findall(r"~> (\w+)", script)

    kinds = ("sources", "transformations", "sinks")
    assert made == [part["name"] for kind in kinds for part in parts[kind]]
    for earlier, later in pairwise(made):
        assert re.search(rf"^{earlier} \w+\(", script, re.MULTILINE), f"nothing reads {earlier} before {later}"
    assert script.count("(") == script.count(")")


def test_no_linked_service_holds_a_secret():
    for name in names("linkedService"):
        found = properties("linkedService", name)["typeProperties"]
        kinds = {value.get("type") for value in walk(found) if isinstance(value, dict)}
        assert "SecureString" not in kinds
        assert not {"encryptedCredential", "accessToken", "accountKey", "password", "connectionString"} & set(found)


@pytest.mark.parametrize("trigger", names("trigger"))
def test_a_trigger_is_stopped_until_somebody_decides_for_this_way(trigger):
    assert properties("trigger", trigger)["runtimeState"] == "Stopped"


def test_only_one_window_is_opened_for_one_window_of_the_trigger():
    assert properties("trigger", "IngestionPipelineTimeTrigger")["typeProperties"]["retryPolicy"]["count"] == 0
    opening = next(one for one in activities("TradesStreamIngestion") if one.name == "OpenWindow")
    assert opening.body["policy"]["retry"] == 0
