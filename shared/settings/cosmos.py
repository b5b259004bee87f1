"""The app settings of Cosmos DB: where the account is, who logs in, and how items are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.domain import setting
from shared.domain.setting import Setting

SETTINGS = (
    Setting(
        "COSMOS__accountEndpoint",
        setting.optional_url("https"),
        "",
        "The account, `https://<account>.documents.azure.com`; absent: nothing is written to Cosmos DB.",
    ),
    Setting(
        "COSMOS__accountKey",
        setting.optional_text,
        "",
        "Its key: in Azure a Key Vault reference; absent: the app's identity logs in (EVENT_HUBS__credential).",
        secret=True,
    ),
    Setting("COSMOS__database", setting.text, "ingestion", "The database that has the streams' containers."),
    Setting(
        "COSMOS_CONCURRENCY",
        setting.positive_integer,
        "8",
        "To how many partition keys a slice writes at once; those of one key go one after the other.",
    ),
    Setting(
        "COSMOS_TIME_TO_LIVE",
        setting.positive_whole_seconds,
        "1440:00:00",
        "After which the service deletes an item.",
    ),
)


@dataclass(frozen=True, slots=True)
class CosmosSettings:
    """The account of Cosmos DB; without an endpoint there is none, without a key the app's identity logs in."""

    endpoint: str | None
    key: str | None = field(repr=False)
    database: str
    concurrency: int
    time_to_live: timedelta


def cosmos_settings(read: Mapping[str, Any]) -> CosmosSettings:
    """Pick them out of all that were read."""
    return CosmosSettings(
        endpoint=read["COSMOS__accountEndpoint"],
        key=read["COSMOS__accountKey"],
        database=read["COSMOS__database"],
        concurrency=read["COSMOS_CONCURRENCY"],
        time_to_live=read["COSMOS_TIME_TO_LIVE"],
    )
