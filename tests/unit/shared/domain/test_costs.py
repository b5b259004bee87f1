import pytest

from shared.domain.costs import Prices, cosmos_cost, hub_cost

PRICES = Prices(hundred_units_hour=0.008, throughput_unit_hour=0.03, million_events=0.028, provisioned_units=15_000)


def taken(events, bytes_of_all=0, billed=None):
    return {"events": events, "bytes": bytes_of_all, "billed_events": events if billed is None else billed}


@pytest.mark.parametrize(
    ("numbers", "units"),
    [
        (taken(0), 1),
        (taken(10_000), 1),
        (taken(10_001), 2),
        (taken(1, 10_000_000), 1),
        (taken(1, 10_000_001), 2),
        (taken(95_000, 1), 10),
    ],
)
def test_throughput_units_are_those_that_events_or_bytes_need(numbers, units):
    assert hub_cost(numbers, 10.0, PRICES)["throughput_units"] == units


def test_a_hub_costs_its_units_and_the_events_that_are_billed():
    cost = hub_cost(taken(1_000, billed=2_000), 10.0, PRICES)

    # a unit for 730 hours at 0.03, and 200 events a second for as long at 0.028 a million
    assert cost == {"throughput_units": 1, "billed_events": 2_000, "month_price": 36.62}


def test_a_container_costs_what_is_provisioned_whether_it_is_used_or_not():
    cost = cosmos_cost({"units": 5_000.0}, 10.0, PRICES)

    assert cost == {"provisioned_units_s": 15_000, "needed_units_s": 500.0, "month_price": 876.0}
