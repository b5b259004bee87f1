"""The chain over real Spark, Delta and SQLite: what arrives, what is set aside, and what a repeat leaves alone."""

from decimal import Decimal

import pytest

from job_house import WINDOW, lookup, pack, row, trade

LATER = "trades-20261122T101000Z"
TABLES = ("silver.trades", "silver.trades_duplicates", "gold.trades_enriched", "gold.trades_unmatched")


class Killed(Exception):
    """Stands for the end of the process at a chosen point."""


def dying_after(stage):
    def on_stage_done(done):
        if done == stage:
            raise Killed(done)

    return on_stage_done


def follow(chain):
    """Begin a run, which makes up for what an earlier one left undone, and take what there is."""
    chain.prepare()
    chain.run_pass()


def everything(house):
    found = {table: house.rows(table) for table in TABLES}
    found["quarantine"] = house.rows("silver.trades_quarantine", "sequence_number", "index", "rows", "reason", "body")
    return found | {"sql": sorted(house.sql("SELECT * FROM Trades"), key=str), "counts": house.counts()}


def send_a_bit_of_everything(house):
    early = trade(1, received_at="2026-11-22T10:00:01.400000Z")
    house.send(row(trade(1)), row(trade(2, base="XYZ")), row(trade(3, price="12")), row(b"nope"))
    house.send(pack([trade(4), early, b'{"x":1}'], encoding="zstd"), pack([trade(9)], rows=5), partition_free(trade(5)))


def partition_free(record):
    return row(record, partition="1", slice_id="1.1")


COUNTS = {
    "bronze_events": 7,
    "bronze_records": 13,
    "silver_new": 4,
    "duplicates": 1,
    "quarantined": 8,
    "enriched": 3,
    "unmatched": 1,
    "unmatched:XYZ": 1,
    "sql": 3,
}


def test_records_arrive_in_sql_bad_ones_are_set_aside_and_all_is_counted(house):
    send_a_bit_of_everything(house)
    chain = house.chain()
    chain.prepare()

    chain.run_pass()

    assert house.counts() == COUNTS
    assert house.sql(
        "SELECT trade_id, symbol, exchange, price, timestamp, maxSupply FROM Trades ORDER BY trade_id"
    ) == [(number, "BTC", "kraken", 65000.12, "2026-11-22T10:00:01.000001Z", 21_000_000) for number in (1, 4, 5)]
    assert house.rows("silver.trades", "trade_id", "sequence_number", "index", "price")[0] == (
        1,
        4,
        1,
        Decimal("65000.12"),
    )
    assert house.rows("silver.trades_quarantine", "sequence_number", "index", "rows", "reason")[0] == (
        2,
        0,
        1,
        "price: expected number, found string",
    )


def test_a_run_killed_after_every_stage_continues_with_nothing_doubled_and_nothing_lost(house):
    send_a_bit_of_everything(house)
    for stage in ("bronze", "silver", "gold", "sql", "counts"):
        with pytest.raises(Exception, match=stage):
            follow(house.chain(on_stage_done=dying_after(stage)))

    follow(house.chain())

    assert house.counts() == COUNTS
    assert len(house.sql("SELECT * FROM Trades")) == COUNTS["sql"]


def test_a_rerun_from_bronze_equals_the_first_run_whatever_became_of_it(house):
    send_a_bit_of_everything(house)
    house.send(row(trade(7), window=LATER))
    chain = house.chain()
    chain.prepare()
    chain.run_pass()
    first = everything(house)

    chain.rerun()
    second = everything(house)
    for table in (*TABLES, "silver.trades_quarantine"):
        house.spark.sql(f"DELETE FROM {table} WHERE window_id = '{WINDOW}'")
    chain.rerun()

    assert second == first
    assert everything(house) == first


def test_the_lowest_arrival_of_a_key_wins_whenever_it_comes(house):
    chain = house.chain()
    chain.prepare()
    for second in ("3", "1", "2"):
        house.send(row(trade(1, received_at=f"2026-11-22T10:00:0{second}Z", price=int(second))))
        chain.run_pass()

    assert house.rows("silver.trades", "price", "sequence_number") == [(Decimal(1), 1)]
    assert house.sql("SELECT price FROM Trades") == [(1,)]
    assert (house.counts()["duplicates"], house.counts()["silver_new"]) == (2, 1)


def test_each_window_gets_its_own_lookup_and_a_later_one_waits_for_its_own_run(house):
    house.reference.documents[f"assets/{LATER}.parquet"] = lookup(["SOL", "ETH", "SOL"])
    house.send(row(trade(1)), row(trade(2, base="SOL"), window=LATER))
    chain = house.chain()
    chain.prepare()
    chain.run_pass()
    waiting = house.counts(LATER)["enriched"]

    house.send(row(trade(3)))
    later = house.chain(house.request(window_id=LATER, lookups={"assets": f"assets/{LATER}.parquet"}))
    later.prepare()
    later.run_pass()
    later.recount([LATER])

    assert (waiting, house.counts(LATER)["enriched"], house.counts(LATER)["sql"]) == (0, 1, 1)
    assert (house.counts()["enriched"], house.counts()["unmatched"]) == (2, 0)


def test_a_closed_window_is_balanced_until_rows_vanish_from_sql(house):
    send_a_bit_of_everything(house)
    house.close(read=13, accepted=12, unknown=1)
    chain = house.chain()
    chain.prepare()
    chain.run_pass()
    counts = house.counts()

    house.sql("DELETE FROM Trades WHERE trade_id = 1")
    chain.recount([WINDOW])

    assert (counts["reconciliation:balanced"], counts["surplus:unknown_arrived"]) == (0, 1)
    assert (house.counts()["reconciliation:unbalanced"], house.counts()["difference:enriched = sql"]) == (1, 1)
