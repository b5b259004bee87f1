"""A spill with its hub, and a host that hands out the messages of its queue as Azure does."""

from datetime import UTC, datetime, timedelta

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake_spill import FakeSpill
from shared.clients.storage.spill_encoding import encode
from shared.domain.delivery import Event
from shared.domain.spill import SpilledBatch, batch_path
from shared.flows.redrive import redrive
from shared.flows.redriver import RedriveTools

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WINDOW = "trades-20261122T110000Z"
NEXT_WINDOW = "trades-20261122T120000Z"
MOST_DEATHS = 5


def events(*bodies, key="BTC", partition=None):
    return [Event(body.encode(), 2, {"contract": "trades/1"}, key, partition) for body in bodies]


class SpillWorld:
    """All that a redriver meets. told: the windows it told of, in order. poison: messages it died of five times."""

    def __init__(self, after_dead="pass"):
        self.now, self.draw, self.after_dead = NOON, 0.5, after_dead
        self.spill = FakeSpill(lambda: self.now)
        self.hubs = FakeEventHubs({"trades": 4})
        self.told, self.untold, self.poison = [], [], []

    @property
    def tools(self):
        return RedriveTools(
            self.spill, self._back, lambda: self.now, lambda: self.draw, self.after_dead, drained=self._tell
        )

    def _back(self, batch, contract, on_refusal):
        return self.hubs.sender(batch.hub, on_refusal)

    async def _tell(self, window_id):
        if self.untold:
            raise self.untold.pop()
        self.told.append(window_id)

    def keep(self, number, *lots, window=WINDOW, stream="trades", hub="trades", **values):
        """Spill a batch of some lots of events."""
        (encoded,) = encode([event for lot in lots for event in lot])
        batch = SpilledBatch(
            batch_path(stream, f"{window}/7.1", number),
            window.partition("-")[0],
            hub,
            encoded.rows,
            encoded.events,
            encoded.sha256,
            self.now,
            **values,
        )
        return self.spill.keep(batch, encoded.content)

    async def deliver(self, most=100):
        """Hand out the messages that are visible, one after the other; gives how many."""
        for done in range(most):
            if not (received := self.spill.queue.receive()):
                return done
            await self._call(received[0])
        return most

    async def _call(self, message):
        try:
            await redrive(self.tools, message.text.encode())
        except Exception:
            if message.dequeued < MOST_DEATHS:
                return
            self.poison.append(message.text)
        self.spill.queue.delete(message)

    async def drain(self, hours=3):
        """Let time pass until no message is left."""
        end = self.now + timedelta(hours=hours)
        while self.spill.queue.messages and self.now < end:
            await self.deliver()
            self.now += 5 * SECOND

    def states(self):
        """Give state and records of each batch by the end of its path."""
        return {
            batch.path.rpartition("/")[2].partition(".")[0]: (batch.state, batch.rows) for batch in self.spill.batches()
        }

    def sent(self, hub="trades"):
        return [event.body.decode() for event in self.hubs.received[hub]]

    def blob(self, batch):
        return self.spill.blobs.blobs[batch.path]
