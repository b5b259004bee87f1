"""What a contract becomes, and what can't be one."""

import json
from pathlib import Path

import pytest

from lakehouse.streams.contract import ContractError, load_contract, parse_contract

CONTRACTS = Path(__file__).parents[3] / "contracts"


def document(**property_schema):
    return {"x-key": ["id"], "required": ["id"], "properties": {"id": {"type": "string"}, **property_schema}}


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*.json")), ids=lambda path: path.name)
def test_every_contract_of_the_app_can_be_read(path):
    stream, version, *_ = path.name.split(".")
    schema = json.loads(path.read_text())

    contract = load_contract(f"{stream}/{version.removeprefix('v')}")

    assert (contract.stream, contract.version) == (stream, int(version.removeprefix("v")))
    assert contract.key == tuple(schema["x-key"])
    assert list(contract.columns) == list(schema["properties"])
    assert {field.name for field in contract.fields if field.required} == set(schema["required"])


def test_key_and_closedness_come_from_the_contract():
    contract = load_contract("trades/1")

    assert contract.key == ("venue", "symbol", "trade_id")
    assert contract.closed


def test_a_date_time_is_a_kind_of_its_own():
    contract = parse_contract("s", 1, document(at={"type": "string", "format": "date-time"}))

    assert [field.kind for field in contract.fields] == ["string", "date-time"]


def test_a_property_that_may_be_null_says_so():
    contract = parse_contract("s", 1, document(note={"type": ["string", "null"]}))

    assert [field.nullable for field in contract.fields] == [False, True]


@pytest.mark.parametrize("name", ["nothing/1", "trades/2", "trades", "../trades/1", "documents/grammar/1"])
def test_a_contract_that_is_not_in_the_wheel_is_named_with_those_there_are(name):
    with pytest.raises(ContractError, match=rf"No contract '{name}' is in the wheel; there are .*trades/1"):
        load_contract(name)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "array"}, "type 'array' can't become a column"),
        ({"type": ["string", "integer"]}, "can't become a column"),
        ({"type": "string", "format": "email"}, "format 'email'"),
        ({"type": "number", "multipleOf": 2}, "multipleOf"),
    ],
)
def test_what_can_not_be_checked_is_refused_not_overlooked(schema, message):
    with pytest.raises(ContractError, match=message):
        parse_contract("s", 1, document(x=schema))


@pytest.mark.parametrize("name", ["partition", "index", "body", "window_id"])
def test_silvers_own_names_are_refused(name):
    with pytest.raises(ContractError, match="silver's own columns"):
        parse_contract("s", 1, document(**{name: {"type": "string"}}))


@pytest.mark.parametrize("name", ["a.b", "_kind", "it's"])
def test_a_name_that_is_no_column_is_refused(name):
    with pytest.raises(ContractError, match="can't be column names"):
        parse_contract("s", 1, document(**{name: {"type": "string"}}))


def test_names_that_differ_in_case_alone_are_refused():
    with pytest.raises(ContractError, match="case alone"):
        parse_contract("s", 1, document(Id={"type": "string"}))


def test_a_key_that_need_not_be_there_is_refused():
    with pytest.raises(ContractError, match="x-key"):
        parse_contract("s", 1, {**document(), "required": []})
