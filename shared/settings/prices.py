"""The app settings by which the costs of a hub and of Cosmos DB beside it are compared, and nothing else is done."""

from collections.abc import Mapping
from typing import Any

from shared.domain import setting
from shared.domain.costs import Prices
from shared.domain.setting import Setting

SETTINGS = (
    Setting(
        "COSMOS_PROVISIONED_UNITS",
        setting.positive_integer,
        "4000",
        "The RU/s that are provisioned for the container: what its cost is worked out from.",
    ),
    Setting(
        "PRICE_COSMOS_UNITS",
        setting.positive_number,
        "0.008",
        "Of 100 RU/s for an hour; list price (USD, one region), check yours.",
    ),
    Setting(
        "PRICE_THROUGHPUT_UNIT",
        setting.positive_number,
        "0.03",
        "Of a throughput unit of Event Hubs for an hour; list price (USD, Standard), check yours.",
    ),
    Setting(
        "PRICE_MILLION_EVENTS",
        setting.positive_number,
        "0.028",
        "Of a million events that Event Hubs bills, one for each 64 KB of an event; list price (USD), check yours.",
    ),
)


def prices(read: Mapping[str, Any]) -> Prices:
    """Pick them out of all that were read."""
    return Prices(
        hundred_units_hour=read["PRICE_COSMOS_UNITS"],
        throughput_unit_hour=read["PRICE_THROUGHPUT_UNIT"],
        million_events=read["PRICE_MILLION_EVENTS"],
        provisioned_units=read["COSMOS_PROVISIONED_UNITS"],
    )
