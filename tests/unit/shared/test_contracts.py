"""How record contracts are read, and which can't be one."""

import json
import re

import pytest

from shared import contracts
from shared.contracts import (
    FOLDER,
    Column,
    ContractError,
    LookupColumn,
    load_contract,
    load_lookup_columns,
    parse_contract,
)
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


@pytest.mark.parametrize("path", sorted(FOLDER.glob("lookups/*.json")), ids=lambda path: path.name)
def test_every_lookup_contract_gives_its_columns_with_arrows_types(path):
    schema = json.loads(path.read_text())

    columns = load_lookup_columns(path.name.partition(".")[0])

    assert [column.name for column in columns] == list(schema["properties"]) == schema["required"]
    assert all(
        re.fullmatch(
            r"string|int32|int64|double|timestamp\[us, tz=UTC\]|date32\[day\]|decimal128\(38, 18\)|list<item: string>",
            one.arrow_type,
        )
        for one in columns
    )


def test_a_lookups_column_may_be_null_where_its_type_says_so():
    rank, symbol = (column for column in load_lookup_columns("assets") if column.name in ("rank", "symbol"))

    assert (rank, symbol) == (LookupColumn("rank", "int32", True), LookupColumn("symbol", "string", False))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "has no file contracts/lookups/visits.v1.schema.json"),
        ("{", "is not JSON"),
        ('{"properties": {"page": {"type": "string"}}}', "each property must have type and x-type"),
        ("{}", "each property must have type and x-type"),
    ],
)
def test_a_lookups_contract_that_can_not_be_read_is_named(tmp_path, monkeypatch, text, words):
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    if text is not None:
        (tmp_path / "lookups").mkdir()
        (tmp_path / "lookups/visits.v1.schema.json").write_text(text)

    with pytest.raises(ContractError, match=rf"Contract lookups/visits.*{words}"):
        load_lookup_columns("visits")
