"""A trade as every venue's adapter hands it on, and how it is written (contract `trades/1`)."""

from typing import Literal

import msgspec

Direction = Literal["buy", "sell"]
Origin = Literal["live", "rest", "replay"]


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One trade of one venue.

    symbol: as the venue writes it; which base and quote it means, the plan's markets say.
    price, volume: the JSON number literals with the digits that the venue gave.
    direction: the taker's side; direction_basis says how it was derived from the venue's field.
    timestamp, received_at: microseconds since the Unix epoch, UTC, of the exchange's and of our clock.
    """

    venue: str
    symbol: str
    trade_id: int
    price: str
    volume: str
    direction: Direction
    direction_basis: str
    timestamp: int
    received_at: int
    origin: Origin

    @property
    def market(self) -> str:
        """Name the trade's market as settings and ledger do: `coinbase:BTC-USD`."""
        return f"{self.venue}:{self.symbol}"
