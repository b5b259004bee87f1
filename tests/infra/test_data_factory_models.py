"""The definitions of Data Factory as Azure's own client reads them, and as they are deployed."""

import json
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
