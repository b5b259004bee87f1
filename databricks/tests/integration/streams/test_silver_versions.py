"""A second version of a contract beside the first, on tables that the first has made."""

from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from lakehouse.streams.contract import ContractError, parse_contract
from silver_house import SilverHouse, event, with_properties

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
FIRST = {"id": {"type": "integer"}, "price": NUMBER, "note": TEXT}


def contract(version, properties, key=("id",)):
    document = {"x-key": list(key), "required": list(key), "additionalProperties": False, "properties": properties}
    return parse_contract("trades", version, document)


def sent(record, version):
    return with_properties(event(record), contract=f"trades/{version}")


@pytest.fixture
def first(spark):
    """A lakehouse whose silver has one record of the first version."""
    house = SilverHouse(spark, contracts=(contract(1, FIRST),))
    house.drop()
    house.send(sent({"id": 1, "price": 1.5, "note": "a"}, 1))
    house.started().run_pass()
    yield house
    house.drop()


def upgraded(house, properties, upcast=None, **changes):
    house.contracts = (house.contracts[0], contract(2, properties, **changes))
    house.upcasts = {"trades/2": upcast} if upcast else {}
    return house.silver()


def test_a_column_more_is_added_and_each_event_is_checked_by_its_own_version(first):
    silver = upgraded(first, {**FIRST, "tax": {"type": "number", "description": "Of the price."}})
    silver.prepare()
    first.send(
        sent({"id": 2, "price": 2.5}, 1), sent({"id": 3, "tax": 0.5}, 2), sent({"id": 4, "tax": 0.5}, 1), sent({}, 3)
    )

    silver.run_pass()

    assert first.rows("silver.trades", "id", "price", "tax") == [
        (1, Decimal("1.5"), None),
        (2, Decimal("2.5"), None),
        (3, None, Decimal("0.5")),
    ]
    assert first.reasons() == [
        "not in the contract: tax",
        "contract: expected trades/1 or trades/2, found trades/3",
    ]
    assert first.lake.read("silver.trades").schema["tax"].metadata["comment"] == "Of the price."


def test_an_event_that_names_no_version_is_checked_by_that_of_the_run(first):
    upgraded(first, {**FIRST, "tax": NUMBER}).prepare()
    first.send(with_properties(event({"id": 2, "tax": 1}), contract=None))

    first.silver(default="trades/1").run_pass()

    assert first.reasons() == ["not in the contract: tax"]


def test_what_can_not_be_taken_up_is_refused_at_the_start_in_one_message(first):
    silver = upgraded(first, {"id": {"type": "integer"}, "price": TEXT})

    with pytest.raises(ContractError, match=r"price a string, which was a number; trades/2 drops column note\. Make"):
        silver.prepare()


def test_an_upcast_that_drops_and_retypes_rewrites_the_table_once_and_brings_up_later_events(first):
    second = {"id": {"type": "integer"}, "price": TEXT}
    silver = upgraded(first, second, lambda rows: rows.withColumn("price", F.col("price").cast("string")).drop("note"))
    silver.prepare()
    first.send(sent({"id": 2, "price": 2}, 1), sent({"id": 3, "price": "3"}, 2), sent({"id": "x"}, 1))

    touched = silver.run_pass()
    first.silver().prepare()

    assert first.rows("silver.trades", "id", "price") == [
        (1, "1.500000000000000000"),
        (2, "2.000000000000000000"),
        (3, "3"),
    ]
    assert first.lake.read("silver.trades").columns[:3] == ["id", "price", "window_id"]
    assert first.reasons() == ["id: expected integer, found string"]
    assert len(touched) == 1
    assert sum("REPLACE" in one or one == "WRITE" for one in first.operations("silver.trades")) == 3


def test_an_upcast_of_the_same_types_is_done_once(first):
    silver = upgraded(
        first, FIRST, lambda rows: rows.withColumn("price", (F.col("price") * 100).cast("decimal(38,18)"))
    )

    silver.prepare()
    first.silver().prepare()
    first.silver().prepare()

    assert first.rows("silver.trades", "price") == [(Decimal(150),)]


def test_progress_survives_a_rewriting(first):
    silver = upgraded(first, FIRST, lambda rows: rows.withColumn("note", F.upper("note")))
    silver.prepare()

    assert silver.run_pass() == frozenset()


def test_rows_that_share_a_key_after_an_upcast_become_duplicates(first):
    first.send(sent({"id": 2, "price": 1.5, "note": "a"}, 1), sent({"id": 3, "price": 1.5, "note": "b"}, 1))
    first.silver().run_pass()
    second = {"note": TEXT, "price": NUMBER}
    silver = upgraded(first, second, lambda rows: rows.drop("id"), key=("note",))

    silver.prepare()
    first.send(sent({"id": 4, "price": 2, "note": "b"}, 1))
    silver.run_pass()

    assert first.rows("silver.trades", "note", "sequence_number") == [("a", 0), ("b", 2)]
    assert first.rows("silver.trades_duplicates", "note", "sequence_number") == [("a", 1), ("b", 3)]


def test_an_upcast_that_makes_other_columns_than_its_version_is_refused(first):
    silver = upgraded(first, {"id": {"type": "integer"}, "price": TEXT, "tax": NUMBER}, lambda rows: rows)

    with pytest.raises(ContractError, match=r"makes column price a decimal\(38,18\), not a string; .* no column tax"):
        silver.prepare()


def test_a_table_of_a_version_that_is_not_known_is_refused(first):
    upgraded(first, {**FIRST, "tax": NUMBER}).prepare()
    first.send(sent({"id": 2}, 2))
    first.silver().run_pass()
    first.contracts = first.contracts[:1]

    with pytest.raises(ContractError, match=r"silver\.trades has the columns of version 2, which is not known here"):
        first.silver().prepare()


def test_a_table_with_a_column_of_nobodys_is_refused(first):
    first.spark.sql("ALTER TABLE silver.trades ADD COLUMNS (mine string)")

    with pytest.raises(ContractError, match=r"silver\.trades has a column mine, which no version knows"):
        first.silver().prepare()
