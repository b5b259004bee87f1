"""The chain over real Spark, Delta and SQLite: what arrives, what is set aside, and what a repeat leaves alone."""

import shutil
from decimal import Decimal

import pytest

from job_house import WINDOW, pack, row, trade
from lakehouse.lake.tables import Lake

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
    """Begin a run, which makes up for what an earlier one left undone, take what there is, and end it."""
    chain.prepare()
    chain.run_pass()
    chain.finish()


def rerun(chain):
    chain.prepare()
    chain.rerun()
    chain.finish()


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
    "gold:trades_enriched": 3,
    "gold:trades_unmatched": 1,
    "gold:trades_unmatched/XYZ": 1,
    "sql:Trades": 3,
}


def test_records_arrive_in_sql_bad_ones_are_set_aside_and_all_is_counted(house):
    send_a_bit_of_everything(house)

    follow(house.chain())

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
    for stage in ("bronze", "silver", "gold", "counts"):
        with pytest.raises(Exception, match=stage):
            follow(house.chain(on_stage_done=dying_after(stage)))

    follow(house.chain())

    assert house.counts() == COUNTS
    assert len(house.sql("SELECT * FROM Trades")) == COUNTS["sql:Trades"]


def test_a_rerun_from_bronze_equals_the_first_run_whatever_became_of_it(house):
    send_a_bit_of_everything(house)
    house.send(row(trade(7), window=LATER))
    follow(house.chain())
    first = everything(house)

    rerun(house.chain())
    second = everything(house)
    for table in (*TABLES, "silver.trades_quarantine"):
        house.lake.delete(table, f"window_id = '{WINDOW}'")
    house.sql("DELETE FROM Trades WHERE trade_id = 4")
    rerun(house.chain())

    assert second == first
    assert everything(house) == first


def test_late_rows_of_a_window_whose_run_is_over_make_its_gold_sql_counts_and_verdict_right(house):
    house.send(row(trade(1)), row(trade(2)))
    house.close(read=3, accepted=3)
    follow(house.chain())
    before = house.counts()
    house.send(row(trade(3)), row(trade(4), window=LATER))

    follow(house.chain(house.request(window_id=LATER)))

    assert ("reconciliation:unbalanced" in before, "reconciliation:balanced" in house.counts()) == (True, True)
    assert (house.counts()["gold:trades_enriched"], house.counts()["sql:Trades"]) == (3, 3)


def test_later_runs_count_a_window_again_whose_spill_arrives_or_is_discarded(house):
    later, still_later = (house.request(window_id=LATER.replace("T1010", f"T{end}")) for end in ("1010", "1020"))
    house.send(row(trade(1)))
    house.close(read=3, accepted=1, spilled=2, spill={"waiting": 2})
    follow(house.chain())
    at_first = house.counts()

    house.send(row(trade(2)))
    house.close(read=3, accepted=1, spilled=2, spill={"redriven": 1, "waiting": 1})
    follow(house.chain(later))
    then = house.counts()

    house.close(read=3, accepted=1, spilled=2, spill={"redriven": 1, "discarded": 1})
    follow(house.chain(still_later))
    at_last = house.counts()

    assert ("reconciliation:waiting" in at_first, at_first["spill:waiting"], at_first["sql:Trades"]) == (True, 2, 1)
    assert ("reconciliation:waiting" in then, then["spill:waiting"], then["sql:Trades"]) == (True, 1, 2)
    assert (at_last["spill:redriven"], at_last["spill:discarded"], "spill:waiting" in at_last) == (1, 1, False)
    assert "reconciliation:balanced" in at_last


def test_a_window_that_a_killed_run_changed_is_counted_by_the_next_one(house):
    house.send(row(trade(1)))
    house.close(read=2, accepted=2)
    follow(house.chain())
    house.send(row(trade(2)), row(trade(3), window=LATER))
    killed = house.chain(house.request(window_id=LATER))
    killed.prepare()
    killed.run_pass()

    follow(house.chain(house.request(window_id=LATER)))

    assert (house.counts()["silver_new"], "reconciliation:balanced" in house.counts()) == (2, True)


def test_a_row_that_displaces_one_of_another_window_makes_both_windows_right(house):
    house.send(row(trade(1), window=LATER), row(trade(2), window=LATER))
    house.close(window=LATER, read=2, accepted=2)
    follow(house.chain(house.request(window_id=LATER)))
    before = house.counts(LATER)
    house.send(row(trade(1, received_at="2026-11-22T10:00:01.100000Z")))

    follow(house.chain())

    assert (before["silver_new"], before["duplicates"], before["sql:Trades"]) == (2, 0, 2)
    after = house.counts(LATER)
    assert (after["silver_new"], after["duplicates"], after["sql:Trades"]) == (1, 1, 1)
    assert "reconciliation:balanced" in after
    assert (house.counts()["silver_new"], house.counts()["sql:Trades"]) == (1, 1)


def test_an_event_that_names_a_closed_window_of_another_feed_is_set_aside_and_the_batch_goes_on(house):
    other = "payments-20261122T100000Z"
    house.reference.documents[f"windows/{other}/closed.json"] = b'{"state": "closed", "counts": {}}'
    house.reference.documents[f"windows/{LATER}/closed.json"] = b"not even JSON"
    house.send(row(trade(1), window=other), row(trade(2), window=LATER), row(trade(3)))

    follow(house.chain())

    assert house.counts()["sql:Trades"] == 1
    assert (house.counts("unknown")["quarantined"], house.counts(LATER)["silver_new"]) == (1, 1)


def test_a_run_after_which_every_checkpoint_is_lost_is_followed_by_one_that_writes_nothing(house):
    send_a_bit_of_everything(house)
    follow(house.chain())
    before = {table: Lake(house.spark, house.lake.names).version(table) for table in TABLES}
    shutil.rmtree(house.folder / "checkpoints")

    follow(house.chain())

    assert house.counts() == COUNTS
    assert {table: Lake(house.spark, house.lake.names).version(table) for table in TABLES} == before


def test_a_closed_window_is_balanced_until_rows_vanish_from_sql(house):
    send_a_bit_of_everything(house)
    house.close(read=13, accepted=12, unknown=1)
    chain = house.chain()
    follow(chain)
    counts = house.counts()

    house.sql("DELETE FROM Trades WHERE trade_id = 1")
    chain.finish()

    assert (counts["reconciliation:balanced"], counts["surplus:unknown_arrived"]) == (0, 1)
    difference = "difference:trades_enriched = sql Trades"
    assert (house.counts()["reconciliation:unbalanced"], house.counts()[difference]) == (1, 1)
