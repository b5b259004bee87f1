import asyncio
import json

import aiohttp
import pytest

PATH = "/coincap/v3/assets"


@pytest.fixture
async def assets(start):
    """Ask for assets of an exchange that has the key `k`; gives status, kind and text of the answer."""
    exchange = await start(assets_key="k", history_seconds=0, assets_count=300)

    async def ask(key="k", **query):
        url, headers = exchange.addresses["rest"] + PATH, {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession() as session, session.get(url, params=query, headers=headers) as answer:
            return answer.status, answer.content_type, await answer.text()

    ask.exchange = exchange
    return ask


async def test_pages_one_after_the_other_give_every_asset_once(assets):
    status, kind, _ = await assets()
    pages = [json.loads((await assets(limit=120, offset=at))[2])["data"] for at in (0, 120, 240, 360)]

    assert (status, kind) == (200, "application/json")
    assert [len(page) for page in pages] == [120, 120, 60, 0]
    assert len({asset["id"] for page in pages for asset in page}) == 300


async def test_a_wrong_key_is_refused(assets):
    assert (await assets(key="wrong"))[0] == 403


async def test_the_recordings_tickers_are_among_the_assets(start, recording_file):
    exchange = await start(recording=recording_file)

    url, headers = exchange.addresses["rest"] + PATH, {"Authorization": "Bearer any"}
    async with aiohttp.ClientSession() as session, session.get(url, params={"limit": 100}, headers=headers) as answer:
        symbols = {asset["symbol"] for asset in (await answer.json())["data"]}

    assert {"SKL", "DASH", "NMR", "BAND", "YFI", "CRV", "NU", "BTC", "ETH"} <= symbols


async def test_the_assets_are_down_for_as_many_requests_as_ordered(assets):
    await assets.exchange.fault("assets_down", venue=None, count=2)

    assert [(await assets())[0] for _ in range(3)] == [500, 500, 200]


async def test_half_a_page_breaks_off_before_its_promised_length(assets):
    await assets.exchange.fault("assets_half", venue=None)

    with pytest.raises(aiohttp.ClientPayloadError):
        await assets()
    assert (await assets())[0] == 200


async def test_what_is_not_json_comes_with_status_200(assets):
    await assets.exchange.fault("assets_not_json", venue=None)

    status, kind, text = await assets()

    assert (status, kind) == (200, "text/html")
    assert not text.startswith("{")


async def test_an_empty_page_is_a_page_without_data(assets):
    await assets.exchange.fault("assets_empty", venue=None)

    assert '"data":[]' in (await assets())[2]


async def test_a_right_key_is_refused_as_a_wrong_one_on_demand(assets):
    await assets.exchange.fault("assets_refused", venue=None)

    assert [(await assets())[0] for _ in range(2)] == [403, 200]


async def test_a_slow_answer_comes_after_its_seconds(assets):
    await assets.exchange.fault("assets_slow", venue=None, seconds=0.2)
    begun = asyncio.get_running_loop().time()

    status, _, _ = await assets()

    assert status == 200
    assert asyncio.get_running_loop().time() - begun >= 0.2
