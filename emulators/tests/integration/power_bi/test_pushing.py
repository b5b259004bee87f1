"""Rows pushed over real HTTP, within the limits and beyond them."""

import aiohttp
import msgspec
import pytest

from emulators.power_bi.datasets import Dataset
from emulators.power_bi.server import running
from emulators.testing import running_service

DATASET = Dataset("w", "d", {"id": "Text", "price": "Number", "timestamp": "DateTime"}, "k")
ROW = {"id": "bitcoin", "price": 1.5, "timestamp": "2026-11-22T10:00:00Z"}


class Client:
    """Pushes to the endpoint; `now` is its clock."""

    def __init__(self, session):
        self.session, self.addresses, self.now = session, {}, 0.0

    async def push(self, rows, url=None):
        async with self.session.post(url or self.addresses["push"], json=rows) as answer:
            text = await answer.text()
            return answer.status, text, answer.headers.get("Retry-After")

    async def pushed(self):
        async with self.session.get(self.addresses["root"] + "/pushed") as answer:
            return next(iter((await answer.json())["datasets"].values()))


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as session:
        client = Client(session)
        async with running([DATASET], clock=lambda: client.now) as client.addresses:
            yield client


async def test_rows_are_counted_in_either_form(client):
    answers = [await client.push([ROW] * 3), await client.push({"rows": [ROW]})]

    assert [status for status, _, _ in answers] == [200, 200]
    assert await client.pushed() == {"posts": 2, "rows": 4}


async def test_a_post_may_carry_ten_thousand_rows_and_not_one_more(client):
    assert (await client.push([ROW] * 10_000))[0] == 200
    assert (await client.push([ROW] * 10_001))[0] == 413
    assert await client.pushed() == {"posts": 1, "rows": 10_000, "refused_413": 1}


async def test_the_121st_post_of_a_minute_is_answered_with_when_to_try_again(client):
    statuses = {(await client.push([]))[0] for _ in range(120)}
    client.now = 20.5

    status, _, retry_after = await client.push([ROW])
    client.now += float(retry_after)

    assert (statuses, status, retry_after) == ({200}, 429, "40")
    assert (await client.push([ROW]))[0] == 200


@pytest.mark.parametrize("body", [[{"price": "1"}], {"rows": 1}, [1], "text"])
async def test_what_does_not_fit_is_refused_and_nothing_of_it_counts(client, body):
    assert (await client.push(body))[0] == 400
    assert (await client.pushed())["rows"] == 0


async def test_a_wrong_key_and_an_unknown_dataset_are_refused(client):
    push = client.addresses["push"]

    assert (await client.push([ROW], push.replace("key=k", "key=x")))[0] == 403
    assert (await client.push([ROW], push.replace("/rows", "x/rows")))[0] == 404


def test_the_endpoint_runs_as_a_process_and_says_where_to_push(tmp_path):
    (tmp_path / "datasets.json").write_bytes(msgspec.json.encode([DATASET]))

    with running_service("power_bi", "--port", 0, "--datasets", tmp_path / "datasets.json") as addresses:
        assert addresses["push"] == addresses["root"] + "/beta/w/datasets/d/rows?key=k"
