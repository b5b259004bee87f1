"""Whole runs: a stream by its contract alone, a contract wholly broken, SQL away for a while, the end of a window."""

import json
from datetime import timedelta

import pytest

from job_house import WINDOW, pack, row, trade
from lakehouse.cli import summary
from lakehouse.follow import Intervals, run
from payment_records import CLEANED_OF_PAYMENT, payment

PAYMENTS = WINDOW.replace("trades", "payments")
INTERVALS = Intervals()


def sent(record):
    event = row(record, window=PAYMENTS)
    return {**event, "properties": {**event["properties"], "contract": "transactions/1"}}


def test_payments_reach_silver_by_their_contract_alone(house):
    records = [payment(1), payment(2, localHour=24), payment(2), payment(1)]
    house.send(*map(sent, records), stream="transactions")
    house.close(window=PAYMENTS, stream="transactions", read=4, accepted=4)
    request = house.request("transactions")

    finished = run(request, "follow", house.chain(request), house.clock, INTERVALS)

    assert (finished.ending, finished.passes) == ("drained", 1)
    assert house.counts(PAYMENTS, "transactions") == {
        "bronze_events": 4,
        "bronze_records": 4,
        "silver_new": 2,
        "duplicates": 1,
        "quarantined": 1,
        **{f"cleaned:{rule}": 2 for rule in CLEANED_OF_PAYMENT},
        "cleaned:cvv_invalid": 0,
        "cleaned:ip_country_blank": 0,
        "reconciliation:balanced": 0,
    }
    assert house.rows("silver.transactions_quarantine", "reason") == [("localHour: above 23",)]


def test_payments_of_two_windows_share_a_bucket_in_gold_and_in_sql_and_a_rerun_changes_nothing(house):
    later = "payments-20261122T100100Z"
    house.send(sent(payment(1)), sent(payment(2, cvvVerifyResult="X")), stream="transactions")
    house.send(
        {**sent(payment(3)), "properties": {**sent({})["properties"], "slice": f"{later}/0.1"}}, stream="transactions"
    )
    house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2)
    request = house.request("transactions")
    run(request, "follow", house.chain(request), house.clock, INTERVALS)
    before = (house.counts(PAYMENTS, "transactions"), house.sql("SELECT * FROM transactions_5min"))

    finished = run(request, "rerun", house.chain(request), house.clock, INTERVALS)

    assert finished.ending == "rerun"
    assert [row[1:] for row in house.sql("SELECT * FROM transactions_5min")] == [("JP", 3, 37.5)]
    assert (house.counts(PAYMENTS, "transactions"), house.sql("SELECT * FROM transactions_5min")) == before
    assert (before[0]["silver_new"], before[0]["cleaned:cvv_invalid"], before[0]["cleaned:cvv_blank"]) == (2, 1, 1)


def test_one_run_takes_all_streams_of_a_feed_and_ends_once_each_is_read_whole(house):
    request = house.request("trades", "transactions")
    other = {**row(payment(1)), "properties": {"contract": "transactions/1", "slice": f"{WINDOW}/0.1"}}
    house.send(row(trade(1)))
    house.send(other, stream="transactions")
    house.close(read=1, accepted=1)
    marker = json.loads(house.reference.documents[f"windows/{WINDOW}/closed.json"])
    marker["counts"]["transactions"] = {"read": 1, "accepted": 1, "refused": 0, "unknown": 0}
    marker["last_sequence_numbers"]["transactions"] = {"0": 0}
    house.reference.documents[f"windows/{WINDOW}/closed.json"] = json.dumps(marker).encode()

    finished = run(request, "follow", house.chain(request), house.clock, INTERVALS)

    assert (finished.ending, sorted(finished.counts)) == ("drained", ["trades", "transactions"])
    assert "reconciliation:balanced" in house.counts()
    assert "reconciliation:balanced" in house.counts(stream="transactions")


def test_a_contract_wholly_broken_leaves_all_in_quarantine_and_the_run_says_so(house):
    broken = {name: value for name, value in trade(1).items() if name != "price"}
    house.send(pack([broken, broken]), pack([broken], encoding="zstd"))
    house.close(read=3, accepted=3)
    chain = house.chain()

    found = summary(run(chain.request, "follow", chain, house.clock, INTERVALS), chain)

    assert (found["ending"], found["streams"]["trades"]["verdict"]) == ("drained", "balanced")
    assert found["warnings"] == ["every record of trades in the window is in quarantine: price: missing (3)"]


def test_a_run_that_gave_up_is_followed_by_one_that_drains_the_window(house):
    house.send(row(trade(1)))
    impatient = house.chain(house.request(grace=timedelta(0), drain_limit=timedelta(minutes=-1)))
    gave_up = summary(run(impatient.request, "follow", impatient, house.clock, INTERVALS), impatient)
    house.clock.on_sleep = lambda: _ends(house)

    chain = house.chain()
    finished = run(chain.request, "follow", chain, house.clock, INTERVALS)

    assert (gave_up["ending"], gave_up["streams"]["trades"]["verdict"]) == ("gave_up", "open")
    assert gave_up["warnings"][0].endswith("the window was not closed (no closed.json).")
    assert (finished.ending, house.counts()["sql:Trades"]) == ("drained", 2)
    assert "reconciliation:balanced" in house.counts()


def test_a_run_waits_for_the_spill_of_its_window_and_takes_what_was_redriven_all_the_way(house):
    house.send(row(trade(1)))
    house.close(read=3, accepted=1, spilled=2, spill={"waiting": 2})
    house.clock.on_sleep = lambda: _drains(house)
    chain = house.chain()

    finished = run(chain.request, "follow", chain, house.clock, INTERVALS)

    assert (finished.ending, finished.passes, finished.waiting) == ("drained", 2, {})
    counts = house.counts()
    assert (counts["sql:Trades"], counts["spill:redriven"], counts["surplus:spilled_arrived"]) == (3, 2, 2)
    assert "reconciliation:balanced" in counts


def test_a_batch_waits_for_a_database_that_is_away_and_is_not_lost_when_it_stays_away(house):
    house.send(row(trade(1)))
    chain = house.chain()
    chain.prepare()
    _take_away(house.database)
    with pytest.raises(Exception, match=r"(?i)sqlite|database"):
        chain.run_pass()
    tried = list(house.clock.slept)

    house.clock.on_sleep = lambda: _put_back(house.database)
    chain.run_pass()
    chain.finish()

    assert (tried, house.clock.slept) == ([1.0, 1.0], [1.0, 1.0, 1.0])
    assert house.counts()["sql:Trades"] == 1


def _drains(house):
    house.send(row(trade(2)), row(trade(3)))
    house.close(read=3, accepted=1, spilled=2, spill={"redriven": 2})
    house.clock.on_sleep = lambda: None


def _ends(house):
    house.send(row(trade(2)))
    house.close(read=2, accepted=2)
    house.clock.on_sleep = lambda: None


def _take_away(database):
    database.rename(database.with_suffix(".away"))
    database.mkdir()


def _put_back(database):
    if database.is_dir():
        for rest in database.iterdir():
            rest.unlink()
        database.rmdir()
        database.with_suffix(".away").rename(database)
