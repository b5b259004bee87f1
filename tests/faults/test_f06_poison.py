"""F6: of each thousand records one is too large for any message, one is refused by the hub, one breaks its contract.

The one that breaks its contract travels: silver puts it into quarantine with the reason, which the lakehouse's own
tests hold (databricks/tests/integration/streams/test_silver_hostile.py).
"""

import json
from collections import Counter

import pyarrow as pa
from jsonschema import Draft202012Validator

from shared.contracts import FOLDER
from shared.domain.windows.plan import StreamPlan
from shared.feeds.records import Records
from shared.feeds.slicing import StreamCounts
from shared.flows.outlet import Outlet
from tests.faults.producing import Hub
from tests.faults.verdict import Arrival, Event, Told, judge
from tests.integration.sending.stage import ROOMY

STREAM = StreamPlan("trades", "trades", "trades/1", "row", "identity", 4)
CONTRACT = Draft202012Validator(json.loads((FOLDER / "trades.v1.schema.json").read_text()))
NEVER_TAKEN = "never-taken"
TOO_LARGE, REFUSED, INVALID = 137, 500, 938
"""Where in its thousand each bad record stands."""


async def test_bad_records_are_refused_one_by_one_and_their_neighbours_travel(platform, sized, figures):
    thousands, hub, counts = sized(2, 20), Hub.of(platform, "trades"), StreamCounts()
    platform.order("faults", kind="refuse", hub="trades", share=1.0, holding=NEVER_TAKEN)
    async with platform.hubs(retry=ROOMY).sender("trades") as sender:
        outlet = Outlet(STREAM, "trades-20261122T100000Z/0.1", sender, counts)
        for thousand in range(thousands):
            await outlet.send(_records(thousand))

    arrived = [json.loads(one.key) for one, _ in await hub.arrivals(_arrival)]
    good = {
        _event(number): Told.ACCEPTED for number in range(thousands * 1000) if number % 1000 not in {TOO_LARGE, REFUSED}
    }
    verdict = judge(good, [Arrival(_event(one["trade_id"]), one["trade_id"]) for one in arrived])
    reasons = Counter(_kind_of(refusal.reason) for refusal in counts.delivery.refusals)
    invalid = [one["trade_id"] % 1000 for one in arrived if not CONTRACT.is_valid(one)]

    figures.all_of("good records delivered", len(arrived) - len(invalid), 997 * thousands)
    figures.exactly("lost", len(verdict.lost), 0)
    figures.exactly("phantom", len(verdict.phantom), 0)
    figures.all_of("too large: refused by name", reasons["too large"], thousands)
    figures.all_of("refused by the hub: named with its words", reasons["the hub's words"], thousands)
    figures.exactly("refused besides these", counts.delivery.refused - 2 * thousands, 0)
    figures.all_of("invalid by contract: delivered, for quarantine", invalid.count(INVALID), thousands)
    figures.exactly("read less accepted and refused", counts.read - counts.delivery.accepted - 2 * thousands, 0)


def _records(thousand: int) -> Records:
    made = [_record(thousand * 1000 + number) for number in range(1000)]
    keys = pa.array([one["symbol"] for one in made]).dictionary_encode()
    return Records(pa.array([json.dumps(one).encode() + b"\n" for one in made]), keys)


def _record(number: int) -> dict[str, object]:
    record = {
        "venue": "coinbase",
        "symbol": f"S{number % 20}-EUR",
        "base": f"S{number % 20}",
        "quote": "EUR",
        "trade_id": number,
        "price": 1.5,
        "volume": 2.0,
        "direction": "buy",
        "direction_basis": "taker",
        "timestamp": "2026-11-22T10:00:00.000001Z",
        "received_at": "2026-11-22T10:00:00.000002Z",
        "origin": "live",
    }
    changes = {TOO_LARGE: {"base": "x" * 300_000}, REFUSED: {"quote": NEVER_TAKEN}, INVALID: {"price": "much"}}
    return record | changes.get(number % 1000, {})


def _event(number: int) -> Event:
    return Event(f"S{number % 20}-EUR", number)


def _arrival(body: bytes) -> Arrival:
    return Arrival(_event(json.loads(body)["trade_id"]), body)


def _kind_of(reason: str) -> str:
    if "over the limit of 262144 bytes" in reason:
        return "too large"
    return "the hub's words" if "never takes it" in reason else reason
