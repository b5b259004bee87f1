import json
from datetime import timedelta

import pytest

from shared.clients.cosmos.items import MOST_BYTES, Items, UnfitRecord
from shared.contracts import load_contract, parse_contract

ITEMS = Items(("id_chamada", "n"), "area", timedelta(days=60), "Call")


def contract(**columns):
    schema = {
        "x-key": ["key"],
        "x-partition-key": "area",
        "required": ["key", "area"],
        "properties": {"key": {"type": "string"}, "area": {"type": "string"}, **columns},
    }
    return parse_contract("calls", 1, schema)


def test_items_take_their_keys_from_the_contract():
    items = Items.of(load_contract("transactions/1"), timedelta(seconds=5_184_000), "Transaction")

    assert items == Items(("transactionID",), "ipCountryCode", timedelta(days=60), "Transaction")


@pytest.mark.parametrize("name", ["id", "ttl", "collectionType"])
def test_a_contract_with_a_column_that_would_be_written_over_is_refused(name):
    with pytest.raises(ValueError, match=f"column '{name}'"):
        Items.of(contract(**{name: {"type": "string"}}), timedelta(days=1), "Call")


def test_an_item_is_its_record_with_an_id_of_all_key_columns():
    line = json.dumps({"id_chamada": "c", "n": 2, "area": "a", "nome": "Zé", "x": None}).encode()

    key, item = ITEMS.item_of(line)

    assert key == "a"
    assert item == {
        "id_chamada": "c", "n": 2, "area": "a", "nome": "Zé", "x": None,
        "id": "c|2", "ttl": 5_184_000, "collectionType": "Call",
    }  # fmt: skip


@pytest.mark.parametrize("area", ["", None])
def test_a_blank_partition_key_becomes_unk_and_can_be_found_by_that(area):
    key, item = ITEMS.item_of(json.dumps({"id_chamada": "c", "n": 1, "area": area}).encode())

    assert (key, item["area"]) == ("unk", "unk")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"no json", "no JSON object"),
        (b"[1]", "no JSON object"),
        (b"\xff", "no JSON object"),
        (b'{"n": 1, "area": "a"}', "has no id_chamada"),
        (b'{"id_chamada": "c", "n": 1}', "has no area"),
        (b" " * (MOST_BYTES + 1), f"over the {MOST_BYTES} of an item"),
    ],
)
def test_a_record_that_can_be_no_item_is_refused_with_the_reason(line, reason):
    with pytest.raises(UnfitRecord, match=reason):
        ITEMS.item_of(line)


def test_a_record_whose_key_is_blank_is_refused():
    with pytest.raises(UnfitRecord, match="key of a record is blank"):
        Items(("key",), "area", timedelta(days=1), "x").item_of(b'{"key": "", "area": "a"}')
