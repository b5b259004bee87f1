"""The state of one exchange: every feed with its connections, the faults, and the loop that drives them."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

from emulators.exchange.assets import AssetsHandler, asset_documents
from emulators.exchange.config import ExchangeConfig
from emulators.exchange.connection import Connection
from emulators.exchange.faults import QUEUED, Fault, Faults
from emulators.exchange.feed import Feed
from emulators.exchange.history import Tape
from emulators.exchange.instants import SECOND
from emulators.exchange.instruments import instruments_of
from emulators.exchange.market import Market
from emulators.exchange.recording import Recording, play, read_recording
from emulators.exchange.venue import Venue
from emulators.exchange.venues.registry import venues

logger = logging.getLogger(__name__)

_TICK = 0.01
_GOING_AWAY = 1001


class ExchangeState:
    """All venues of one exchange process. `clock` gives the true moment in microseconds."""

    def __init__(self, config: ExchangeConfig, clock: Callable[[], int]) -> None:
        """Build the markets; raise ValueError where the recording can't be read."""
        self.clock = clock
        self.faults = Faults(lambda: clock() / SECOND)
        self.recording: Recording | None = read_recording(config.recording) if config.recording else None
        self._config = config
        self._markets: list[Market] = []
        self.feeds = {venue.name: Feed(venue, self._tapes(venue), self.faults) for venue in venues()}
        assets = asset_documents(config.assets_count, config.seed, self._recorded_tickers())
        self.assets = AssetsHandler(assets, clock, config.assets_key)
        self.connections: dict[str, set[Connection]] = {name: set() for name in self.feeds}

    def change_rate(self, trades_per_second: float) -> None:
        """Let every synthetic market trade at another rate from now on."""
        now = self.clock()
        for market in self._markets:
            market.change_rate(trades_per_second, now)

    def start_recording(self, start: int, speed: float | None) -> None:
        """Lay the recording on the clock anew; raise ValueError where none was given."""
        if self.recording is None:
            raise ValueError("no recording was given; start the exchange with --recording")
        tapes = play(self.recording, start=start, speed=speed or self._config.speed)
        self.feeds["coinbase"].replace(tapes, self.clock())

    def add_fault(self, fault: Fault) -> None:
        """Carry a fault out, or queue it; raise ValueError where its symbol is not traded."""
        now = self.clock()
        symbols = [symbol for feed in self._concerned(fault) for symbol in feed.symbols]
        if fault.symbol is not None and fault.symbol not in symbols:
            raise ValueError(f"symbol must be one of {', '.join(symbols)}, not {fault.symbol!r}")
        logger.info("exchange.fault_ordered", extra={"kind": fault.kind, "venue": fault.venue})
        if fault.kind in QUEUED:
            self.faults.add(fault)
        for feed in self._concerned(fault):
            self._carry_out(fault, feed, now)

    def clear_faults(self) -> None:
        """End every fault and put the clocks right."""
        self.faults.clear()
        for feed in self.feeds.values():
            feed.shift_clock(self.clock(), 0)

    async def run(self) -> None:
        """Publish trades as they happen and heartbeats each second, until cancelled."""
        next_heartbeat = self.clock() + SECOND
        while True:
            await asyncio.sleep(_TICK)
            self._publish()
            if self.clock() >= next_heartbeat:
                next_heartbeat += SECOND
                self._beat()
            self._review()

    def _publish(self) -> None:
        for name, feed in self.feeds.items():
            if trades := feed.due(self.clock()):
                for connection in self.connections[name]:
                    connection.send_trades(trades)

    def _beat(self) -> None:
        for connection in self._all_connections():
            connection.beat()

    def _review(self) -> None:
        for connection in self._all_connections():
            connection.review()

    def _all_connections(self) -> Iterator[Connection]:
        return (connection for connections in self.connections.values() for connection in connections)

    def _concerned(self, fault: Fault) -> list[Feed]:
        return [feed for name, feed in self.feeds.items() if fault.concerns(name)]

    def _carry_out(self, fault: Fault, feed: Feed, now: int) -> None:
        clock = feed.clock(now)
        actions: Mapping[str, Callable[[], None]] = {
            "disconnect": lambda: self._disconnect(feed, fault.code),
            "outage": lambda: self._disconnect(feed, None),
            "hole": lambda: feed.wake(fault.symbol, now),
            "late": lambda: feed.wake(fault.symbol, now),
            "zero": lambda: feed.wake(fault.symbol, now),
            "skew": lambda: feed.shift_clock(now, fault.microseconds),
            "malformed": lambda: self._post(feed, [feed.venue.malformed_frame(clock)] * fault.count),
            "error_frame": lambda: self._post(feed, [feed.venue.error_frame(fault.words)] * fault.count),
            "unknown": lambda: self._post(feed, [feed.venue.unknown_frame(clock)] * fault.count),
            "shutdown": lambda: self._shut_down(feed, fault, clock),
        }
        if action := actions.get(fault.kind):
            action()

    def _post(self, feed: Feed, frames: list[bytes]) -> None:
        for connection in self.connections[feed.venue.name]:
            connection.post(frames)

    def _disconnect(self, feed: Feed, code: int | None) -> None:
        for connection in self.connections[feed.venue.name]:
            connection.drop() if code is None else connection.close(code)

    def _shut_down(self, feed: Feed, fault: Fault, clock: int) -> None:
        self._post(feed, feed.venue.shutdown_notice(clock))
        for connection in self.connections[feed.venue.name]:
            asyncio.get_running_loop().call_later(fault.microseconds / SECOND, connection.close, _GOING_AWAY)

    def _recorded_tickers(self) -> frozenset[str]:
        products = self.recording.products if self.recording else ()
        return frozenset(product.partition("-")[0] for product in products)

    def _tapes(self, venue: Venue) -> Mapping[str, Tape]:
        config = self._config
        if venue.name == "coinbase" and self.recording is not None:
            return play(self.recording, start=config.recording_start, speed=config.speed)
        origin = self.clock() - round(config.history_seconds * SECOND)
        tapes: dict[str, Tape] = {}
        for instrument in instruments_of(venue.name):
            market = Market(instrument, seed=config.seed, rate=config.rate, origin=origin)
            self._markets.append(market)
            tapes[instrument.symbol] = market
        return tapes
