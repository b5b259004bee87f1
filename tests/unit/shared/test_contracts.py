"""How record contracts are read, and which can't be one."""

import json
import re

import pytest

from shared.contracts import FOLDER, Column, ContractError, load_contract, parse_contract
from shared.feeds.catalogue import FEEDS

RECORDS = sorted(FOLDER.glob("*.json"))


def named(path):
    stream, version, *_ = path.name.split(".")
    return f"{stream}/{version.removeprefix('v')}"


def document(**changes):
    properties = {"id": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}
    return {"x-key": ["id"], "x-partition-key": "id", "required": ["id", "at"], "properties": properties} | changes


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_every_record_contract_gives_its_key_partition_key_and_columns(path):
    schema = json.loads(path.read_text())

    contract = load_contract(named(path))

    assert contract.key == tuple(schema["x-key"])
    assert contract.partition_key == schema["x-partition-key"]
    assert [column.name for column in contract.columns] == list(schema["properties"])
    assert {column.name for column in contract.columns if column.required} == set(schema["required"])


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_every_record_contract_bounds_its_texts_and_says_when_a_record_happened(path):
    schema = json.loads(path.read_text())
    columns = {column.name: column for column in load_contract(named(path)).columns}
    texts = [name for name, column in columns.items() if column.kind == "string"]

    assert [name for name in texts if not {"maxLength", "enum"} & set(schema["properties"][name])] == []
    assert (columns[schema["x-event-time"]].kind, columns[schema["x-event-time"]].required) == ("date-time", True)
    assert re.fullmatch(r"P([0-9]+D|T[0-9]+[HMS])", schema["x-dedupe"])


@pytest.mark.parametrize("stream", [one for feed in FEEDS for one in feed.streams], ids=str)
def test_every_stream_has_a_contract_of_its_own_name(stream):
    contract = load_contract(stream.contract)

    assert (contract.name, contract.stream) == (stream.contract, stream.name)


def test_columns_say_what_they_hold():
    optional = {"type": ["number", "null"]}

    contract = parse_contract("s", 1, document(properties=document()["properties"] | {"share": optional}))

    assert contract.columns == (
        Column("id", "string", required=True),
        Column("at", "date-time", required=True),
        Column("share", "number", required=False, nullable=True),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x-key": []}, "s/1 has no x-key"),
        ({"x-key": ["other"]}, "must name required columns, not 'other'"),
        ({"x-partition-key": ""}, "must name required columns, not ''"),
        ({"required": ["at"]}, "must name required columns, not 'id'"),
        ({"properties": {"id": {"type": "array"}}}, "the type of 'id' is 'array'"),
        ({"properties": {"id": {"type": ["string", "number"]}}}, r"the type of 'id' is \['string', 'number'\]"),
        ({"properties": {"id": {"type": "string", "format": "uuid"}}}, "the type of 'id' is 'uuid'"),
        ({"properties": {"id": {}}}, "the type of 'id' is None"),
    ],
)
def test_a_contract_that_lacks_what_a_stream_needs_is_refused_by_name(changes, message):
    with pytest.raises(ContractError, match=message):
        parse_contract("s", 1, document(**changes))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing/1", "Contract nothing/1 has no file contracts/nothing.v1.schema.json"),
        ("trades", "'trades' is no contract's name"),
        ("../trades/1", "is no contract's name"),
    ],
)
def test_a_contract_that_is_not_there_is_named(name, message):
    with pytest.raises(ContractError, match=message):
        load_contract(name)
