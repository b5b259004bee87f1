"""F6: of each thousand records one is too large for any message, one is refused by the hub, one breaks its contract.

The one that breaks its contract travels: silver puts it into quarantine with the reason, which the lakehouse's own
tests hold (databricks/tests/integration/streams/test_silver_hostile.py).
"""

import json
from collections import Counter

import pyarrow as pa
from azure.storage.blob import BlobClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy
from jsonschema import Draft202012Validator

from shared.clients.storage.spill import CONTAINER, DEAD_QUEUE
from shared.contracts import FOLDER
from shared.domain.windows.plan import StreamPlan
from shared.feeds.records import Records
from shared.feeds.slicing import StreamCounts
from shared.flows.outlet import Outlet
from tests.faults.producing import Hub, Producer
from tests.faults.redriving import Host, tools_of
from tests.faults.spilling import WINDOW, spilling_slice, unreachable
from tests.faults.storage import Store
from tests.faults.verdict import Arrival, Event, Told, judge
from tests.integration.sending.stage import ROOMY

STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 4)
CONTRACT = Draft202012Validator(json.loads((FOLDER / "trades.v1.schema.json").read_text()))
NEVER_TAKEN = "never-taken"
BATCHES = 10
TOO_LARGE, REFUSED, INVALID = 137, 500, 938
"""Where in its thousand each bad record stands."""


async def test_bad_records_are_refused_one_by_one_and_their_neighbours_travel(platform, sized, figures):
    thousands, hub = sized(2, 20), Hub.of(platform, "trades")
    counted = [StreamCounts() for _ in range(thousands)]  # of each thousand its own: a count keeps twenty reasons
    platform.order("faults", kind="refuse", hub="trades", share=1.0, holding=NEVER_TAKEN)
    async with platform.hubs(retry=ROOMY).sender("trades") as sender:
        for thousand, counts in enumerate(counted):
            outlet = Outlet(STREAM, "trades-20261122T100000Z/0.1", sender, counts)
            await outlet.send(_records(thousand))

    arrived = [json.loads(one.key) for one, _ in await hub.arrivals(_arrival)]
    good = {
        _event(number): Told.ACCEPTED for number in range(thousands * 1000) if number % 1000 not in {TOO_LARGE, REFUSED}
    }
    verdict = judge(good, [Arrival(_event(one["trade_id"]), one["trade_id"]) for one in arrived])
    reasons = Counter(_kind_of(refusal.reason) for counts in counted for refusal in counts.delivery.refusals)
    refused = sum(counts.delivery.refused for counts in counted)
    settled = sum(counts.delivery.accepted for counts in counted) + refused
    invalid = [one["trade_id"] % 1000 for one in arrived if not CONTRACT.is_valid(one)]

    figures.all_of("good records delivered", len(arrived) - len(invalid), 997 * thousands)
    figures.exactly("lost", len(verdict.lost), 0)
    figures.exactly("phantom", len(verdict.phantom), 0)
    figures.all_of("too large: refused by name", reasons["too large"], thousands)
    figures.all_of("refused by the hub: named with its words", reasons["the hub's words"], thousands)
    figures.exactly("refused besides these", refused - 2 * thousands, 0)
    figures.all_of("invalid by contract: delivered, for quarantine", invalid.count(INVALID), thousands)
    figures.exactly("read less accepted and refused", sum(counts.read for counts in counted) - settled, 0)


async def test_what_a_redriver_can_never_send_is_dead_with_its_reason_and_the_rest_arrives(platform, store, figures):
    hub, spill, producer = Hub.of(platform, "trades"), store.spill(), Producer("redriven")
    async with unreachable(platform) as hubs, spilling_slice(hubs, spill, "trades", 1) as out:
        for _ in range(BATCHES):
            assert await producer.send(out, 10) is None
    spoilt, newer = _spoil(store, 3), _made_newer(store, 5)
    platform.order("faults", kind="refuse", hub="trades", share=1.0, holding='"number": 77,')

    await Host.of(store.connection, tools_of(spill, platform.hubs(retry=ROOMY))).serve(
        lambda: not spill.batches(states=["waiting"])
    )

    dead = {batch.path: batch for batch in spill.batches(states=["dead"])}
    reasons = [one.reason for one in dead.values()]
    arrived = {one.event.number for one, _ in await hub.arrivals()}
    gone = {77, *range(30, 40), *range(50, 60)}
    told = _dead_messages(store)
    figures.exactly("redriven: good records that did not arrive", len(set(range(BATCHES * 10)) - gone - arrived), 0)
    figures.exactly("redriven: bad records that did", len(gone & arrived), 0)
    figures.exactly("dead batches", len(dead), 3)
    figures.all_of("dead: changed by hand", int("SHA-256" in dead[spoilt].reason), 1)
    figures.all_of("dead: of a newer version", int("newer version" in dead[newer].reason), 1)
    figures.all_of("dead: refused by the hub, with its words", sum("never takes it" in one for one in reasons), 1)
    figures.all_of("named in spill-dead, with the reason", sum(told.get(path) == dead[path].reason for path in dead), 3)


def _records(thousand: int) -> Records:
    made = [_record(thousand * 1000 + number) for number in range(1000)]
    keys = pa.array([one["symbol"] for one in made]).dictionary_encode()
    return Records(pa.array([json.dumps(one).encode() + b"\n" for one in made]), keys)


def _batch(store: Store, number: int) -> tuple[str, BlobClient]:
    path = f"trades/{WINDOW}/0001.1/{number:06d}.ndjson.zst"
    return path, BlobClient.from_connection_string(store.connection, CONTAINER, path)


def _spoil(store: Store, number: int) -> str:
    """Change a batch by hand."""
    path, blob = _batch(store, number)
    with blob:
        metadata = blob.get_blob_properties().metadata
        blob.upload_blob(b"by hand", overwrite=True, metadata=metadata)
    return path


def _made_newer(store: Store, number: int) -> str:
    """Let a batch be of a version that does not exist yet."""
    path, blob = _batch(store, number)
    with blob:
        blob.set_blob_metadata(blob.get_blob_properties().metadata | {"version": "99"})
    return path


def _dead_messages(store: Store) -> dict[str, str]:
    policy = TextBase64DecodePolicy()
    with QueueClient.from_connection_string(store.connection, DEAD_QUEUE, message_decode_policy=policy) as queue:
        found = [json.loads(message.content) for message in queue.receive_messages(max_messages=32)]
    return {one["path"]: one["reason"] for one in found}


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
