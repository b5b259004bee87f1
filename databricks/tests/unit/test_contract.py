"""What a contract becomes, and what can't be one."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from lakehouse.streams.contract import LINEAGE, ContractError, load_contract, load_contracts, parse_contract

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
    assert contract.event_time == schema["x-event-time"]
    assert contract.dedupe is not None


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*.json")), ids=lambda path: path.name)
def test_every_string_of_the_apps_contracts_is_bounded(path):
    stream, version, *_ = path.name.split(".")

    contract = load_contract(f"{stream}/{version.removeprefix('v')}")

    assert [field.name for field in contract.fields if field.kind == "string" and field.longest is None] == []


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


def test_a_key_that_may_be_null_is_refused():
    with pytest.raises(ContractError, match="x-key must name required properties that are never null"):
        parse_contract("s", 1, document(id={"type": ["string", "null"]}))


def test_all_versions_of_a_stream_are_found_and_no_other_streams():
    assert [contract.name for contract in load_contracts("trades")] == ["trades/1"]


def test_a_stream_without_a_contract_is_named():
    with pytest.raises(ContractError, match="No contract of stream 'trade' is in the wheel"):
        load_contracts("trade")


AT = {"at": {"type": "string", "format": "date-time"}, "maybe": {"type": "string", "format": "date-time"}}


def timed(**changes):
    return {**document(**AT), "required": ["id", "at"], **changes}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT10M", timedelta(minutes=10)),
        ("P1D", timedelta(days=1)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("PT0S", timedelta()),
    ],
)
def test_the_event_time_and_how_far_a_keys_records_lie_apart_come_from_the_contract(text, length):
    contract = parse_contract("s", 1, timed(**{"x-event-time": "at", "x-dedupe": text}))

    assert (contract.event_time, contract.dedupe) == ("at", length)


@pytest.mark.parametrize("text", ["", "P", "PT", "10M", "P1M", "PT1.5S", "-PT1S", "P1DT", "pt1s", "PT1M\n", 10, "PT٣S"])
def test_a_duration_that_can_not_be_read_is_refused(text):
    with pytest.raises(ContractError, match="s/1: x-dedupe must be an ISO 8601 duration"):
        parse_contract("s", 1, timed(**{"x-event-time": "at", "x-dedupe": text}))


@pytest.mark.parametrize("name", ["id", "maybe", "nothing"])
def test_an_event_time_that_is_no_required_date_time_is_refused(name):
    with pytest.raises(ContractError, match="s/1: x-event-time must name a required date-time property"):
        parse_contract("s", 1, timed(**{"x-event-time": name}))


def test_a_dedupe_without_an_event_time_is_refused():
    with pytest.raises(ContractError, match="s/1: x-dedupe needs x-event-time"):
        parse_contract("s", 1, timed(**{"x-dedupe": "PT1M"}))


@pytest.mark.parametrize("limit", [-1, "64", 1.5, True])
def test_a_length_that_is_no_number_of_characters_is_refused(limit):
    with pytest.raises(ContractError, match="code: maxLength must be a whole number"):
        parse_contract("s", 1, document(code={"type": "string", "maxLength": limit}))


def test_a_strings_longest_value_is_known_by_its_length_or_its_values():
    rules = {"a": {"maxLength": 9}, "b": {"enum": ["x", "long"]}, "c": {}}
    contract = parse_contract("s", 1, document(**{name: {"type": "string", **one} for name, one in rules.items()}))

    assert [field.longest for field in contract.fields] == [None, 9, 4, None]


ODD = [{"rule": "odd", "values": ["x"]}]


def cleaning(kind="string", **rule):
    given = {"rule": "blank", "values": [""], **rule}
    there = {name: one for name, one in given.items() if one != "left out"}
    schema = {"type": kind, "maxLength": 4} if kind == "string" else {"type": kind}
    return document(note={**schema, "x-clean": [there]})


def test_cleaning_rules_come_from_the_contract():
    note = {
        "type": "string",
        "x-clean": [{"rule": "blank", "values": [""], "becomes": None}, {"rule": "odd", "values": ["x"]}],
    }

    contract = parse_contract("s", 1, document(note=note))

    assert [(of.name, rule.name, rule.values, rule.replaces, rule.becomes) for of, rule in contract.cleaning] == [
        ("note", "blank", ("",), True, None),
        ("note", "odd", ("x",), False, None),
    ]
    assert contract.silver_columns == ("id", "note", "cleaned", *LINEAGE)


def test_a_contract_without_cleaning_rules_has_no_column_for_them():
    assert parse_contract("s", 1, document()).silver_columns == ("id", *LINEAGE)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (cleaning(rule="No Name"), "'No Name' can't name a rule"),
        (cleaning(rule=3), "3 can't name a rule"),
        (cleaning(values=[]), "must list values that a string can be compared with"),
        (cleaning(values="x"), "must list values that a string can be compared with"),
        (cleaning(values="left out"), "has rule, values and maybe becomes"),
        (cleaning(more=1), "has rule, values and maybe becomes"),
        (cleaning(values=[1]), "must list values that a string can be compared with"),
        (cleaning("integer", values=[True]), "must list values that a integer can be compared with"),
        (cleaning("integer", values=[1], becomes="x"), "must make null or a integer that fits; it makes 'x'"),
        (cleaning(becomes="longer"), "must make null or a string that fits; it makes 'longer'"),
        (cleaning(values=["a", "a"]), "two values of x-clean are the same"),
        (document(id={"type": "string", "x-clean": [{"rule": "a", "values": [""]}]}), "x-clean can't stand at ['id']"),
        (
            document(received_at={"type": "string", "x-clean": [{"rule": "a", "values": [""]}]}),
            "x-clean can't stand at ['received_at']",
        ),
        (
            document(
                a={"type": "string", "x-clean": [{"rule": "one", "values": [""]}]},
                b={"type": "string", "x-clean": [{"rule": "one", "values": [""]}]},
            ),
            "more than one rule of x-clean is called ['one']",
        ),
        (document(cleaned={"type": "string"}), "silver's own columns are called ['cleaned']"),
        (
            document(at={"type": "string", "format": "date-time", "x-clean": ODD}),
            "date-time",
        ),
    ],
)
def test_a_cleaning_rule_that_can_not_be_kept_is_refused(wrong, why):
    with pytest.raises(ContractError, match=re.escape(why)):
        parse_contract("s", 1, wrong)
