"""The way of trades out: ordered, counted, made into events of the plan's one stream, and sent."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from shared.clients.event_hubs.hubs import Sender
from shared.domain.delivery import Delivery
from shared.domain.windows.plan import StreamPlan
from shared.feeds.packing import Packing, as_events
from shared.feeds.slicing import StreamCounts
from shared.trades.venues.lines import as_records
from shared.trades.venues.trade import Trade


class TradeOutlet:
    """Sends trades under one attempt's id; `sent` counts them by market and origin, `tally` as every slice does."""

    def __init__(self, stream: StreamPlan, attempt_id: str, sender: Sender, tally: StreamCounts) -> None:
        """Send as `stream` says; `attempt_id` is what the events carry as `slice`."""
        self._stream = stream
        self._attempt_id = attempt_id
        self._sender = sender
        self._packing = Packing(mode=stream.packing, encoding=stream.encoding)
        self.tally = tally
        self.sent: Counter[tuple[str, str]] = Counter()

    async def send(self, trades: Sequence[Trade]) -> None:
        """Send trades, those of each market in the order of their ids; raises SendFailed or LoginRefused."""
        ordered = sorted(trades, key=attrgetter("trade_id"))
        events, refusals = as_events(
            as_records(ordered),
            self._packing,
            contract=self._stream.contract,
            slice_id=self._attempt_id,
            partitions=self._stream.partitions,
        )
        self.tally.read += len(ordered)
        self.tally.delivery += Delivery(refusals=refusals)
        self.tally.delivery += await self._sender.send(events)
        self.sent.update((trade.market, trade.origin) for trade in ordered)
