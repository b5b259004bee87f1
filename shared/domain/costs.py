"""What it costs to have a stream's records taken: by a hub, or by a container of Cosmos DB, at given prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

HOURS_OF_MONTH: Final = 730
"""As Azure's own price pages count them."""

_EVENTS_OF_UNIT: Final = 1_000
_BYTES_OF_UNIT: Final = 1_000_000
"""A throughput unit takes 1 MB or 1,000 events a second, whichever is reached first (learn.microsoft.com)."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in one currency, and what is provisioned.

    hundred_units_hour: of 100 RU/s for an hour. throughput_unit_hour: of a throughput unit for an hour. million_events:
    of a million billed events. provisioned_units: RU/s of the container.
    """

    hundred_units_hour: float
    throughput_unit_hour: float
    million_events: float
    provisioned_units: int


def throughput_units(events_s: float, bytes_s: float) -> int:
    """Count the throughput units that so many events and bytes a second need: one at least."""
    return max(1, ceil(max(events_s / _EVENTS_OF_UNIT, bytes_s / _BYTES_OF_UNIT)))


def hub_cost(numbers: Mapping[str, Any], seconds: float, prices: Prices) -> dict[str, Any]:
    """Say what a hub would cost that takes, day and night, what it took in so many seconds.

    numbers: `events`, `bytes` and `billed_events` of that time. A namespace has at least one throughput unit.
    """
    units = throughput_units(numbers["events"] / seconds, numbers["bytes"] / seconds)
    millions = numbers["billed_events"] / seconds * 3600 * HOURS_OF_MONTH / 1_000_000
    price = units * HOURS_OF_MONTH * prices.throughput_unit_hour + millions * prices.million_events
    return {
        "throughput_units": units,
        "billed_events": numbers["billed_events"],
        "month_price": round(price, 2),
    }


def cosmos_cost(numbers: Mapping[str, Any], seconds: float, prices: Prices) -> dict[str, Any]:
    """Say what the provisioned container costs, which is paid whether it is used or not, and how much of it was used.

    numbers: `units` (RU) of so many seconds.
    """
    return {
        "provisioned_units_s": prices.provisioned_units,
        "needed_units_s": round(numbers["units"] / seconds, 1),
        "month_price": round(prices.provisioned_units / 100 * HOURS_OF_MONTH * prices.hundred_units_hour, 2),
    }
