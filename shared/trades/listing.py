"""The venues' own lists of their markets: what a plan's sources mean, asked before a window opens."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared import telemetry
from shared.errors import IngestionError, Unavailable
from shared.trades.connection.client import VenueClient
from shared.trades.venues.registry import WrittenMarket, parse_market, read_market
from shared.trades.venues.venue import Symbols

logger = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 10.0
"""Seconds in which all venues must give their lists; after them the kept ones serve."""

FRESH_FOR: Final = timedelta(minutes=5)
"""How long a list serves without being asked for again: a request may plan hundreds of windows."""


class Blobs(Protocol):
    """Where the lists are kept, as `symbols/<venue>.json`."""

    def write(self, path: str, content: bytes) -> None:
        """Write a blob, in place of one that is there; raises Unavailable or LoginRefused."""

    def read(self, path: str) -> bytes | None:
        """Give a blob's content, None where there is none; raises as `write` does."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Sources with base and quote in the venue's spelling (`binance:ADAEUR=ADA/EUR`), and why others are refused."""

    sources: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Listing:
    """Asks the venues for their lists, keeps them, and reads sources by them.

    venues: makes clients by name. clock: the wall clock. A venue that does not answer is served from what was kept, and
    where there is neither, a symbol is read by its form.
    """

    venues: Callable[[], Mapping[str, VenueClient]]
    blobs: Blobs
    clock: Callable[[], datetime]
    _asked: dict[str, tuple[datetime, Symbols | None]] = field(default_factory=dict)

    def resolve(self, sources: Sequence[str]) -> Resolved:
        """Say what sources mean; one that its venue does not list is refused, and costs no other."""
        markets = [read_market(source) for source in sources]
        lists = self._lists({market.venue.name for market in markets})
        found = [_resolved(market, lists[market.venue.name]) for market in markets]
        refused = {market.name: words for market, (_, words) in zip(markets, found, strict=True) if words}
        for market, words in refused.items():
            telemetry.warning(logger, "feed.market_refused", market=market, reason=words)
        return Resolved(tuple(source for source, words in found if not words), refused)

    def _lists(self, names: set[str]) -> dict[str, Symbols | None]:
        now = self.clock()
        stale = sorted(name for name in names if name not in self._asked or now - self._asked[name][0] >= FRESH_FOR)
        answers = asyncio.run(_lists_of(self.venues(), stale)) if stale else {}
        for name in stale:
            self._asked[name] = (now, self._kept(name, answers.get(name)))
        return {name: self._asked[name][1] for name in names}

    def _kept(self, name: str, answer: Symbols | None) -> Symbols | None:
        """Keep an answer; where there is none, give what was kept before."""
        path = f"symbols/{name}.json"
        try:
            if answer:
                self.blobs.write(path, json.dumps({one: list(pair) for one, pair in answer.items()}).encode())
                return answer
            content = self.blobs.read(path)
        except IngestionError as error:
            telemetry.warning(logger, "feed.symbols_not_kept", venue=name, cause=error)
            return answer
        return _read(content) if content else None


async def _lists_of(venues: Mapping[str, VenueClient], names: Iterable[str]) -> dict[str, Symbols]:
    """Ask venues side by side, within one deadline; those that do not answer, or list nothing, are left out."""
    asked = {name: asyncio.create_task(_list_of(name, venues[name])) for name in names}
    lists = await asyncio.gather(*asked.values())
    return {name: symbols for name, symbols in zip(asked, lists, strict=True) if symbols}


async def _list_of(name: str, client: VenueClient) -> Symbols | None:
    async with aclosing(client):
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await client.symbols()
        except (IngestionError, TimeoutError) as error:
            cause = error if isinstance(error, IngestionError) else Unavailable("it did not answer in time")
            telemetry.warning(logger, "feed.symbols_unknown", venue=name, cause=cause)
            return None


def _read(content: bytes) -> Symbols | None:
    try:
        return {symbol: (base, quote) for symbol, (base, quote) in json.loads(content).items()}
    except (ValueError, AttributeError, TypeError):
        return None


def _resolved(market: WrittenMarket, listed: Symbols | None) -> tuple[str, str]:
    """Give a source as plans hold it, and why it is refused, empty where it is not."""
    if listed is None:
        return _guessed(market)
    if market.symbol not in listed:
        return market.text, f"{market.venue.name} does not list {market.symbol} among its {len(listed)} markets"
    base, quote = market.pair or listed[market.symbol]
    return f"{market.name}={base}/{quote}", ""


def _guessed(market: WrittenMarket) -> tuple[str, str]:
    try:
        known = parse_market(market.text)
    except ValueError as error:
        return market.text, f"neither {market.venue.name} nor its kept list could be asked, and {error}"
    return f"{known.name}={known.base}/{known.quote}", ""
