from dataclasses import replace

from cost.bill import bill_of
from cost.choices import CHOICES, best, savings
from cost.prices import read_prices
from cost.tables import rows_of, sum_of
from tests.unit.cost.cases import HOUR, case, feed, flow

PRICES = read_prices()


def without(name):
    unknown = replace(PRICES.prices[name], amount=None)
    return replace(PRICES, prices={**PRICES.prices, name: unknown})


def test_the_sum_is_that_of_the_lines():
    bill = bill_of(case(), PRICES)

    assert bill.total == sum(priced.cost for priced in bill.lines if priced.cost is not None)


def test_an_unknown_price_is_said_and_missing_in_the_sum():
    known, unknown = bill_of(case(), PRICES), bill_of(case(), without("node"))

    assert unknown.total < known.total
    assert "Databricks, node" in sum_of(unknown, PRICES)
    (row,) = [row for row in rows_of(unknown, without("node")) if row[0] == "Databricks, node"]
    assert row[3:5] == ("unknown", "unknown")


def test_what_is_not_used_lacks_no_price():
    assert bill_of(case(), without("capture")).lacking == bill_of(case(), PRICES).lacking


def test_choices_are_in_the_order_of_what_they_save_here():
    amounts = [saving.amount for saving in savings(case(), PRICES)]

    assert amounts == sorted(amounts, reverse=True)
    assert all(amounts)


def test_a_choice_saves_the_difference_of_two_bills():
    (capture,) = [one for one in CHOICES if one.name == "no Capture"]

    (saving,) = savings(case(capture=True), PRICES, [capture])

    assert saving.amount == bill_of(case(capture=True), PRICES).total - bill_of(case(), PRICES).total
    assert savings(case(), PRICES, [capture]) == [], "what is off can't be turned off"


def test_the_best_three_are_other_ones_in_another_case():
    small = case(feed(every=24 * HOUR, enriched=False), cosmos_units=4000, pause_after=None)
    busy = case(feed(streams=(flow(events=3000.0),), packed=(flow(events=30.0),)), private=True)

    named = [[saving.choice.name for saving in best(each, PRICES)] for each in (small, busy)]

    assert "no Cosmos DB" in named[0]
    assert "a database that pauses after an hour" in named[0]
    assert "packs with zstd" in named[1]


def test_what_can_not_be_set_is_among_no_best():
    assert any(not saving.choice.is_there for saving in savings(case(), PRICES))
    assert all(saving.choice.is_there for saving in best(case(), PRICES, most=99))
