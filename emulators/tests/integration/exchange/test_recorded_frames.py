import asyncio

from emulators.clocks import epoch_microseconds
from emulators.exchange.instants import SECOND, from_text, to_text

PRODUCTS = [
    *("BAND-BTC", "BAND-GBP", "CRV-EUR", "DASH-BTC", "NMR-EUR"),
    *("NU-GBP", "SKL-BTC", "SKL-GBP", "SKL-USD", "YFI-BTC"),
]


START = from_text("2026-11-22T10:00:00Z")


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self, moment: int) -> None:
        self.moment = moment

    def __call__(self) -> int:
        return self.moment


def soon(seconds: float) -> int:
    return epoch_microseconds() + round(seconds * SECOND)


async def replaying(start, recording_file, **config):
    return await start(recording=recording_file, speed=20, **config)


async def test_two_connections_get_all_97_matches_of_one_timeline(start, recording_file):
    begin = soon(1)
    exchange = await replaying(start, recording_file, recording_start=begin)
    listeners = [await exchange.subscribe(product_ids=PRODUCTS, channels=["matches"]) for _ in range(2)]

    seen = [await listener.matches(97) for listener in listeners]

    assert seen[0] == seen[1]
    assert seen[0][0]["time"] == to_text(begin)
    assert from_text(seen[0][-1]["time"]) - begin == round(29_579_665 / 20)
    assert len({(match["product_id"], match["trade_id"]) for match in seen[0]}) == 97
    assert not await _another_match(listeners[0])


async def test_each_product_is_anchored_by_its_last_match_and_continues_it(start, recording_file):
    clock = SetClock(START - SECOND)
    exchange = await start(clock, recording=recording_file, recording_start=START)
    listener = await exchange.subscribe(product_ids=PRODUCTS, channels=["matches"])
    assert (await listener.frame())["type"] == "subscriptions"
    anchors = [await listener.frame() for _ in PRODUCTS]

    clock.moment = START + 30 * SECOND
    matches = await listener.matches(97)

    assert {anchor["type"] for anchor in anchors} == {"last_match"}
    last = {anchor["product_id"]: anchor["trade_id"] for anchor in anchors}
    for match in matches:
        assert match["trade_id"] == last[match["product_id"]] + 1
        last[match["product_id"]] += 1


async def test_who_comes_late_gets_the_rest_live_and_the_beginning_by_rest(start, recording_file):
    clock = SetClock(START + 15 * SECOND)
    exchange = await start(clock, recording=recording_file, recording_start=START)
    listener = await exchange.subscribe(product_ids=["SKL-USD"], channels=["matches"])
    await listener.frame()
    anchor = (await listener.frame())["trade_id"]

    clock.moment = START + 30 * SECOND
    live = [match["trade_id"] for match in await listener.matches(1_568_319 - anchor)]
    ids = [row["trade_id"] for row in (await exchange.page("/coinbase/products/SKL-USD/trades"))[1]]

    assert 1_568_267 < anchor < 1_568_319
    assert live == list(range(anchor + 1, 1_568_320))
    assert ids == list(range(1_568_319, 1_568_267, -1))


async def test_the_future_of_the_recording_is_not_on_the_pages(start, recording_file):
    exchange = await start(SetClock(START), recording=recording_file, recording_start=START)

    pages = [(await exchange.page(f"/coinbase/products/{product}/trades"))[1] for product in PRODUCTS]

    assert sum(len(page) for page in pages) == 1


async def test_the_products_are_those_of_the_recording(start, recording_file):
    exchange = await replaying(start, recording_file)

    assert [row["id"] for row in (await exchange.page("/coinbase/products"))[1]] == PRODUCTS
    assert (await exchange.page("/coinbase/products/BTC-USD/trades"))[0] == 404


async def test_heartbeats_are_added_with_the_last_trade_of_the_timeline(start, recording_file):
    exchange = await replaying(start, recording_file, recording_start=soon(-10))
    listener = await exchange.subscribe(product_ids=["SKL-USD", "YFI-BTC"])

    beats = [await listener.until(lambda frame: frame["type"] == "heartbeat") for _ in range(2)]

    assert [(beat["product_id"], beat["last_trade_id"]) for beat in beats] == [
        ("SKL-USD", 1_568_319),
        ("YFI-BTC", 889_760),
    ]
    assert [beat["sequence"] for beat in beats] == [201_393_867, 451_724_584]


async def test_the_start_can_be_set_when_everybody_is_connected(start, recording_file):
    exchange = await replaying(start, recording_file)
    listener = await exchange.subscribe(product_ids=PRODUCTS, channels=["matches"])
    await listener.frame()
    begin = soon(0.2)

    status, _ = await exchange.admin("POST", "/recording", {"start": to_text(begin), "speed": 100})

    matches = await listener.matches(97)
    assert status == 200
    assert matches[0]["time"] == to_text(begin)
    assert from_text(matches[-1]["time"]) - begin == round(29_579_665 / 100)


async def _another_match(listener) -> bool:
    try:
        async with asyncio.timeout(0.2):
            await listener.matches(1)
    except TimeoutError:
        return False
    return True
