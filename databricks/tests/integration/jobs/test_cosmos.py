"""Whole runs of payments with Cosmos DB beside the hub."""

from dataclasses import replace
from datetime import timedelta

import pytest

from job_house import START, WINDOW, row
from lakehouse.cli import summary
from lakehouse.follow import Intervals, run
from lakehouse.request import Container
from payment_records import payment

PAYMENTS = WINDOW.replace("trades", "payments")


def request_of(house):
    plain = house.request("transactions")
    streams = tuple(replace(one, cosmos=Container("ingestion", "transactions")) for one in plain.streams)
    return replace(plain, streams=streams)


def later(house):
    """The request of the window after that one."""
    start = START + timedelta(hours=1)
    return replace(request_of(house), window_id=PAYMENTS.replace("T10", "T11"), start=start, end=start)


def send(house, *records):
    events = [row(record, window=PAYMENTS) for record in records]
    for event in events:
        event["properties"]["contract"] = "transactions/1"
    house.send(*events, stream="transactions")


def put(house, *records):
    for record in records:
        item = {**record, "id": record["transactionID"], "windowId": PAYMENTS, "ttl": 60}
        house.change_feed.upsert(record["ipCountryCode"], item)


def followed(house):
    request = request_of(house)
    chain = house.chain(request)
    return summary(run(request, "follow", chain, house.clock, Intervals()), chain)


def of_cosmos(house):
    found = house.counts(PAYMENTS, "transactions").items()
    return {name.removeprefix("cosmos:"): rows for name, rows in found if name.startswith("cosmos:")}


def test_both_sinks_are_compared_by_window_and_what_waits_in_the_spill_is_named(house):
    send(house, payment(1), payment(2))
    put(house, payment(1))
    house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2, cosmos={"waiting": 1})

    told = followed(house)

    same = {"both": 1, "only_in_hub": 1, "only_in_cosmos": 0, "different": 0, "quarantined": 0, "in_spill": 1}
    assert told["streams"]["transactions"]["cosmos"] == {**same, "verdict": "waiting"}
    assert (told["streams"]["transactions"]["verdict"], told["warnings"]) == ("balanced", [])
    assert of_cosmos(house) == {**same, "waiting": 1}


def test_what_is_redriven_to_cosmos_later_makes_the_window_equal_in_the_next_run(house):
    send(house, payment(1), payment(2))
    put(house, payment(1))
    house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2, cosmos={"waiting": 1})
    followed(house)
    put(house, payment(2))
    house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2, cosmos={"waiting": 0, "redriven": 1})

    followed(house)

    assert of_cosmos(house)["equal"] == 0
    assert of_cosmos(house)["both"] == 2


def test_what_waits_for_cosmos_and_is_given_up_is_missing_there_in_the_next_run(house):
    send(house, payment(1), payment(2))
    put(house, payment(1))
    house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2, cosmos={"waiting": 1})
    followed(house)
    house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2, cosmos={"waiting": 0, "discarded": 1})

    run(later(house), "catch_up", house.chain(later(house)), house.clock, Intervals())

    assert (of_cosmos(house)["only_in_hub"], of_cosmos(house)["apart"]) == (1, 1)


def test_what_is_redriven_while_a_window_is_counted_is_not_missing_in_cosmos(house):
    send(house, payment(1), payment(2))
    put(house, payment(1))
    house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2, cosmos={"waiting": 1})
    pages, asked = house.change_feed.pages, []

    def redriven_after_the_second_reading(continuation):
        asked.append(continuation)
        yield from pages(continuation)
        if len(asked) == 2:
            put(house, payment(2))
            house.close(window=PAYMENTS, stream="transactions", read=2, accepted=2, cosmos={"redriven": 1})

    house.change_feed.pages = redriven_after_the_second_reading

    told = followed(house)

    assert len(asked) == 2
    assert (told["warnings"], of_cosmos(house)["waiting"], of_cosmos(house)["in_spill"]) == ([], 1, 1)


def test_differences_are_warned_of_and_the_hubs_own_verdict_stands(house):
    send(house, payment(1))
    put(house, payment(1, accountAge=11), payment(2))
    house.close(window=PAYMENTS, stream="transactions", read=1, accepted=1)

    told = followed(house)

    assert told["streams"]["transactions"]["verdict"] == "balanced"
    assert told["streams"]["transactions"]["cosmos"]["verdict"] == "apart"
    assert told["warnings"][0].startswith("Cosmos DB and the hub of transactions are apart in 2 records of the window")


def test_a_change_feed_that_is_away_holds_up_no_record_of_the_hub(house):
    send(house, payment(1))
    put(house, payment(1))
    house.close(window=PAYMENTS, stream="transactions", read=1, accepted=1)
    house.change_feed.pages = away

    told = followed(house)

    assert (told["ending"], told["streams"]["transactions"]["verdict"]) == ("drained", "balanced")
    assert told["warnings"] == ["the change feed of ingestion/transactions at local could not be read: away"]


def away(_continuation):
    from lakehouse.sources.cosmos.feed import ChangeFeedFailed

    raise ChangeFeedFailed("the change feed of ingestion/transactions at local could not be read: away")


@pytest.mark.parametrize("stage", ["bronze", "silver", "gold"])
def test_a_kill_after_any_stage_leaves_counts_right_that_the_next_run_writes(house, stage):
    send(house, payment(1))
    put(house, payment(1), payment(2))
    request = request_of(house)

    def killed(done):
        if done == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(request, "follow", house.chain(request, on_stage_done=killed), house.clock, Intervals())
    house.close(window=PAYMENTS, stream="transactions", read=1, accepted=1)
    followed(house)

    assert (of_cosmos(house)["both"], of_cosmos(house)["only_in_cosmos"], of_cosmos(house)["apart"]) == (1, 1, 1)
