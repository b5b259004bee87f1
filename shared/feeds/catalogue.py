"""Which feeds there are, of what kind, and the streams and contracts of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record: its name (and default hub) and its contract."""

    name: str
    contract: str


@dataclass(frozen=True, slots=True)
class FeedKind:
    """A feed: read from outside (`live`) or drawn here (`synthetic`).

    job: the Databricks job that enriches its windows, unless a setting names another one. lookup: whether that job
    joins the feed with the lookup of assets.
    """

    name: str
    kind: Literal["live", "synthetic"]
    streams: tuple[Stream, ...]
    job: str
    lookup: bool


CATALOGUE: Mapping[str, FeedKind] = MappingProxyType(
    {
        "trades": FeedKind("trades", "live", (Stream("trades", "trades/1"),), "trades_enrichment", lookup=True),
        "payments": FeedKind(
            "payments", "synthetic", (Stream("transactions", "transactions/1"),), "payments", lookup=False
        ),
    }
)
