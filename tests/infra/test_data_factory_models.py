"""The definitions of Data Factory as Azure's own client reads them, and as they are deployed."""

import json
import re
from typing import Any

import pytest
from azure.mgmt.datafactory import models
from azure.mgmt.datafactory._utils.model_base import Model, _deserialize

from infra.checks.terraform import ROOT

FACTORY = ROOT / "definitions" / "data_factory"
MODELS = {
    "pipeline": models.PipelineResource,
    "dataset": models.DatasetResource,
    "dataflow": models.DataFlowResource,
    "linkedService": models.LinkedServiceResource,
    "trigger": models.TriggerResource,
}
FILES = [path for folder in MODELS for path in sorted((FACTORY / folder).glob("*.json"))]


def unknown(model: Any, where: str = "") -> list[str]:
    """Name what a model holds that its class does not know, by path; in any case, as the service reads names."""
    model = _known(model)
    if isinstance(model, list):
        return [name for number, each in enumerate(model) for name in unknown(each, f"{where}[{number}]")]
    if not isinstance(model, Model):
        return []
    known = {field._rest_name.lower(): name for name, field in type(model)._attr_to_rest_field.items()}
    strange = [f"{where}.{name}" for name in model if name.lower() not in known]
    inner = [unknown(value, f"{where}.{name}") for name, value in _values(model, known)]
    return strange + [name for names in inner for name in names]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_azures_client_knows_all_of_a_file(path):
    model = _deserialize(MODELS[path.parent.name], json.loads(path.read_text()))

    assert unknown(model) == []


def _values(model: Model, known: dict[str, str]) -> list[tuple[str, Any]]:
    """Give what can be looked into: a name in another case is one that the class has no value of."""
    return [(name, getattr(model, known[name.lower()])) for name in model if name.lower() in known]


def _known(model: Any) -> Any:
    """Give a model of the class that its `type` names: Azure's client stops at the first of several bases."""
    kind = _named(type(model), model["type"]) if isinstance(model, Model) and model.get("type") else None
    return _deserialize(kind, model.as_dict()) if kind and kind is not type(model) else model


def _named(base: type[Model], name: str) -> type[Model] | None:
    mapping = vars(base).get("__mapping__", {})
    below = (found for each in mapping.values() if each is not base and (found := _named(each, name)))
    return mapping.get(name) or next(below, None)


@pytest.mark.parametrize(
    ("name", "written", "misspelt"),
    [
        ("pipeline/TradesStreamIngestion", '"functionName"', '"functionNames"'),
        ("pipeline/TradesStreamEnrichment", '"jobParameters"', '"jobParameter"'),
        ("dataset/RawTradesAssets", '"fileSystem"', '"fileSystems"'),
        ("trigger/IngestionPipelineTimeTrigger", '"maxConcurrency"', '"maxConcurency"'),
        ("linkedService/FunctionApp", '"functionKey"', '"funktionKey"'),
    ],
)
def test_azures_client_finds_a_misspelt_name(name, written, misspelt):
    path = FACTORY / f"{name}.json"
    text = path.read_text()
    assert written in text

    model = _deserialize(MODELS[path.parent.name], json.loads(text.replace(written, misspelt)))

    assert misspelt.strip('"') in unknown(model)[0]


@pytest.fixture
def template(states):
    return json.loads(states["default"].at("resource_group_template_deployment.factory")["template_content"])


def test_every_file_is_deployed_as_it_is_but_for_what_this_deployment_has_instead(template, states):
    vault, topic = states["default"].one("key_vault"), states["default"].one("eventgrid_topic")
    deployed = {each["name"].partition("/")[2]: each["properties"] for each in template["resources"]}

    for path in FILES:
        written = json.loads(path.read_text())["properties"]
        written.pop("runtimeState", None)
        text = json.dumps(written).replace("https://key-vault-name.vault.azure.net/", vault["vault_uri"])
        text = re.sub(r"/subscriptions/0{8}-[^\"]*/topics/topic-name", topic["id"], text)
        assert _unescaped(deployed[path.stem]) == json.loads(text), path.stem
    assert len(deployed) == len(FILES)


def test_azure_takes_no_text_of_a_file_for_an_expression_of_its_own(template):
    properties = [each["properties"] for each in template["resources"]]

    assert [text for text in _texts(properties) if text.startswith("[") and not text.startswith("[[")] == []


def test_what_a_file_refers_to_is_deployed_before_it(template):
    made = {(each["type"].rpartition("/")[2], each["name"].partition("/")[2]) for each in template["resources"]}
    for each in template["resources"]:
        awaited = set(re.findall(r"factories/(\w+)', '[^']+', '([^']+)'", " ".join(each["dependsOn"])))
        assert awaited <= made
        for kind, name in _references(each["properties"]):
            assert (kind, name) in awaited or each["type"].endswith(kind), (each["name"], name)


def _references(value: Any) -> set[tuple[str, str]]:
    text = json.dumps(value)
    found = re.findall(r'"referenceName": "([^"]+)", "type": "(\w+)Reference"', text)
    found += [(name, kind) for kind, name in re.findall(r'"type": "(\w+)Reference", "referenceName": "([^"]+)"', text)]
    return {(f"{kind.lower()}s", name) for name, kind in found}


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts(each)]


def _unescaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unescaped(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_unescaped(each) for each in value]
    return value[1:] if isinstance(value, str) and value.startswith("[[") else value
