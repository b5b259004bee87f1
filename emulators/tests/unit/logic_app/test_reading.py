import pytest

from emulators.logic_app.reading import NotUnderstood, read_workflows


def find(document):
    return document["definition"]["actions"]["Find_order"]


def test_a_workflow_has_the_name_of_its_folder_and_its_parameters_values(document, read):
    workflow = read(document)

    assert (workflow.name, workflow.trigger_name) == ("sample", "manual")
    assert workflow.parameters["seen_table"] == "seen"
    assert workflow.parameters["recipient"] == document["parameters"]["recipient"]["value"]


def change_type(document):
    find(document)["type"] = "Http"


def change_function(document):
    find(document)["inputs"]["path"] += "@{guid()}"


def break_expression(document):
    find(document)["inputs"]["path"] += "@{utcNow("


def change_path(document):
    find(document)["inputs"]["path"] = "/v2/somewhere"


def change_connection(document):
    find(document)["inputs"]["host"]["connection"]["name"] = "@parameters('$connections')['sql']['connectionId']"


def name_unknown_output(document):
    document["definition"]["actions"]["Is_it_new"]["expression"] = "@outputs('Find')?['statusCode']"


def name_unknown_parameter(document):
    find(document)["inputs"]["body"] = "@parameters('sender')"


def run_after_an_unknown_action(document):
    find(document)["runAfter"] = {"Absent": ["Succeeded"]}


def run_in_a_circle(document):
    find(document)["runAfter"] = {"Is_it_new": ["Succeeded"]}


def retry(document):
    find(document)["inputs"]["retryPolicy"] = {"type": "fixed"}


def forget_a_value(document):
    del document["parameters"]["recipient"]


def give_a_value_too_many(document):
    document["parameters"]["sender"] = {"value": "x"}


def schema_with_an_unknown_keyword(document):
    document["definition"]["triggers"]["manual"]["inputs"]["schema"]["oneOf"] = []


def strange_key(document):
    find(document)["limit"] = {"timeout": "PT1M"}


def two_triggers(document):
    triggers = document["definition"]["triggers"]
    triggers["again"] = triggers["manual"]


def no_answer(document):
    document["definition"]["actions"] = {"Find_order": find(document)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_type, "the action 'Find_order' is of type 'Http'; understood are ApiConnection, Response, Switch"),
        (change_function, "the function 'guid' is not understood"),
        (break_expression, "an expression can't be read"),
        (change_path, "'Find_order' calls get /v2/somewhere of azuretables: not understood"),
        (change_connection, "'Find_order' has no connection among"),
        (name_unknown_output, r"outputs\('Find'\) names what is not there"),
        (name_unknown_parameter, r"parameters\('sender'\) names what is not there"),
        (run_after_an_unknown_action, "'Find_order' runs after Absent, which is not beside it"),
        (run_in_a_circle, "its actions wait for each other"),
        (retry, "Invalid enum value 'fixed'"),
        (forget_a_value, "the parameter recipient has no value"),
        (give_a_value_too_many, "it gives the parameter sender"),
        (schema_with_an_unknown_keyword, "the schema has oneOf"),
        (strange_key, "unknown field `limit`"),
        (two_triggers, "it has 2 triggers"),
        (no_answer, "no action answers the caller"),
    ],
)
def test_what_would_not_run_as_in_azure_is_refused_by_name(document, read, change, reason):
    change(document)

    with pytest.raises(NotUnderstood, match=reason) as refusal:
        read(document)

    assert "sample/workflow.json" in str(refusal.value)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"definition": {"actions": []}}', "no json"])
def test_a_file_that_is_no_workflow_is_refused(tmp_path, content):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "workflow.json").write_text(content)

    with pytest.raises(NotUnderstood, match="is no workflow"):
        read_workflows(tmp_path)


def test_a_folder_without_workflows_is_refused(tmp_path):
    with pytest.raises(NotUnderstood, match="holds no"):
        read_workflows(tmp_path)
