import io

import pytest
from rich.console import Console

from local.demo.sinks import apart, print_equal, print_sinks

HUB = {
    "stream": "transactions", "sink": "hub", "read": 1_300, "accepted": 1_300, "spilled": 0, "units": None,
    "throughput_units": 1, "month_price": 29.26,
}  # fmt: skip
COSMOS = {
    "stream": "transactions", "sink": "cosmos", "read": 1_300, "accepted": 1_150, "spilled": 150, "units": 5_750.5,
    "throughput_units": None, "month_price": 233.6, "provisioned_units_s": 4_000, "needed_units_s": 191.7,
}  # fmt: skip
WINDOW = {"id": "payments-20261122T120000Z", "sinks": [HUB, COSMOS]}


def printed(window, **options):
    sink = io.StringIO()
    print_sinks(Console(file=sink, width=160, **options), window)
    return sink.getvalue()


@pytest.mark.parametrize("options", [{}, {"force_terminal": True}])
def test_both_sinks_are_printed_with_what_each_has(options):
    shown = printed(WINDOW, **options)

    for text in ("transactions, hub", "transactions, cosmos", "1,300", "1,150", "5,750.5", "payments-20261122T120000Z"):
        assert text in shown


def test_the_comparison_is_said_in_words():
    shown = printed(WINDOW)

    assert (
        "The hub took 1,300 of 1,300 records of transactions at once. "
        "A month at this rate costs 29.26 there, by the prices that are set.\n"
    ) in shown
    assert (
        "Cosmos DB took 1,150 of 1,300 records of transactions at once, and gets 150 from the spill. "
        "A month of its 4,000 RU a second costs 233.60, of which the window used 191.7.\n"
    ) in shown


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("equal", "The 1,200 records of transactions in Cosmos DB are those that came through the hub, field by field"),
        ("waiting", ""),
        ("apart", ""),
    ],
)
def test_that_both_hold_the_same_is_said_where_the_lakehouse_found_it(verdict, said):
    sink = io.StringIO()
    counts = {"transactions": {"cosmos": {"both": 1_200, verdict: 0}}, "refunds": {"silver_new": 1}}

    print_equal(Console(file=sink, width=60), {"id": WINDOW["id"], "enrichment": {"counts": counts}})

    assert sink.getvalue() == (f"{said}: {WINDOW['id']}.\n" if said else "")


def test_only_what_is_apart_is_wrong():
    assert apart({"silver_new": 5}) == apart({"cosmos": {"both": 5, "equal": 0}}) == ""
    assert apart({"cosmos": {"both": 5, "in_spill": 2, "waiting": 2}}) == ""
    assert apart({"cosmos": {"different": 3, "apart": 3}}).startswith("Cosmos DB and the hub are apart in 3 records")


def test_a_window_without_cosmos_prints_nothing():
    assert printed({"id": "trades-20261122T120000Z", "sinks": []}) == ""
