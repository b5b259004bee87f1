"""Requests to the endpoint as the protocol describes them, good and bad."""

import gzip
import io
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest

from emulators.application_insights.server import ApplicationInsights, running

NOW = datetime.now(UTC)


class Client:
    """Sends to the endpoint as no exporter would, and asks the admin port."""

    def __init__(self, session, addresses):
        self.session, self.ingestion, self.admin = session, addresses["ingestion"], addresses["admin"]
        parts = addresses["connection_string"].split(";")
        self.connection = dict(part.split("=", 1) for part in parts)
        self.key = self.connection["InstrumentationKey"]

    def line(self, message="hello", **changes):
        data = {"baseType": "MessageData", "baseData": {"ver": 2, "message": message}}
        return {"name": "m", "time": NOW.isoformat(), "iKey": self.key, "data": data} | changes

    async def send(self, body, *, path="/v2.1/track", **headers):
        body = io.BytesIO(body if isinstance(body, bytes) else msgspec.json.encode(body))
        headers = {"Content-Type": "application/json"} | {name.replace("_", "-"): one for name, one in headers.items()}
        async with self.session.post(
            self.ingestion + path, data=body, headers=headers, allow_redirects=False
        ) as answer:
            text = await answer.read()
            return answer.status, answer.headers, msgspec.json.decode(text) if text[:1] == b"{" else text

    async def ask(self, path, body=None):
        async with self.session.request("POST" if body else "GET", self.admin + path, json=body) as answer:
            return answer.status, await answer.text()

    async def messages(self):
        _, text = await self.ask("/tables/AppTraces")
        return [msgspec.json.decode(line)["Message"] for line in text.splitlines()]


@pytest.fixture
async def client(tmp_path):
    service = ApplicationInsights(tmp_path, most_rows=20)
    async with aiohttp.ClientSession() as session, running(service) as addresses:
        yield Client(session, addresses)


@pytest.mark.parametrize("path", ["/v2.1/track", "/v2/track", "//v2.1/track"])
async def test_items_are_accepted_at_the_addresses_that_clients_use(client, path):
    status, _, body = await client.send([client.line("a"), client.line("b")], path=path)

    assert status == 200
    assert body == {"itemsReceived": 2, "itemsAccepted": 2, "appId": None, "errors": []}
    assert await client.messages() == ["a", "b"]


async def test_lines_and_gzip_are_read_as_an_array_is(client):
    lines = b"\n".join(msgspec.json.encode(client.line(text)) for text in "ab")

    first = await client.send(lines, Content_Type="application/x-json-stream")
    second = await client.send(gzip.compress(lines), Content_Type="application/x-json-stream", Content_Encoding="gzip")

    assert (first[0], second[0]) == (200, 200)
    assert await client.messages() == ["a", "b", "a", "b"]


async def test_some_items_refused_is_206_with_each_error_by_its_index(client):
    old = (NOW - timedelta(hours=49)).isoformat()

    status, _, body = await client.send([client.line(time=old), client.line("kept"), client.line(iKey="another")])

    assert (status, body["itemsReceived"], body["itemsAccepted"]) == (206, 3, 1)
    assert [(one["index"], one["statusCode"], one["message"][:4]) for one in body["errors"]] == [
        (0, 400, "103:"),
        (2, 400, "Inva"),
    ]
    assert await client.messages() == ["kept"]


async def test_all_items_refused_is_the_status_of_the_first(client):
    status, _, body = await client.send([client.line(iKey="another")])

    assert (status, body["itemsAccepted"], body["errors"][0]["message"]) == (400, 0, "Invalid instrumentation key")
    assert await client.messages() == []


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"no json", {}, 400),
        (b"[]", {}, 400),
        (b"{}", {"Content_Type": "text/plain"}, 400),
        (b"no gzip", {"Content_Encoding": "gzip"}, 400),
        (b" " * (33 * 2**20), {}, 413),
        (gzip.compress(b" " * (33 * 2**20)), {"Content_Encoding": "gzip"}, 413),
    ],
)
async def test_a_body_that_can_not_be_read_is_refused(client, body, headers, expected):
    assert (await client.send(body, **headers))[0] == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "unavailable"}, 503),
        ({"kind": "unavailable", "status": 500}, 500),
        ({"kind": "too_many_requests", "retry_after": 7}, 429),
        ({"kind": "quota"}, 402),
        ({"kind": "quota", "status": 439}, 439),
        ({"kind": "denied"}, 403),
        ({"kind": "too_large"}, 413),
    ],
)
async def test_a_fault_answers_for_every_item_and_keeps_none(client, fault, expected):
    await client.ask("/faults", fault)

    status, headers, body = await client.send([client.line(), client.line()])

    assert (status, headers.get("Retry-After")) == (expected, "7" if "retry_after" in fault else None)
    assert [one["statusCode"] for one in body["errors"]] == [expected, expected]
    assert (await client.send([client.line("next")]))[0] == 200
    assert await client.messages() == ["next"]


async def test_a_redirect_names_where_to_go(client):
    await client.ask("/faults", {"kind": "redirect", "status": 308, "location": "http://127.0.0.1:1/v2.1/track"})

    status, headers, _ = await client.send([client.line()])

    assert (status, headers["Location"]) == (308, "http://127.0.0.1:1/v2.1/track")


async def test_a_part_of_a_request_can_fail_and_the_rest_is_kept(client):
    await client.ask("/faults", {"kind": "partial", "items": 2, "status": 429, "retry_after": 3})

    status, headers, body = await client.send([client.line(text) for text in "abc"])

    assert (status, headers["Retry-After"], body["itemsAccepted"]) == (206, "3", 1)
    assert [(one["index"], one["statusCode"]) for one in body["errors"]] == [(0, 429), (1, 429)]
    assert await client.messages() == ["c"]


async def test_a_lost_answer_is_one_whose_items_are_kept(client):
    await client.ask("/faults", {"kind": "lost_answer"})

    with pytest.raises(aiohttp.ClientError):
        await client.send([client.line("kept")])

    assert await client.messages() == ["kept"]


async def test_a_fault_that_means_nothing_is_refused_with_the_reason(client):
    status, text = await client.ask("/faults", {"kind": "quota", "status": 200})

    assert status == 400
    assert "402, 439" in text


async def test_a_table_is_bounded_and_pages_say_so(client):
    await client.send([client.line(str(number)) for number in range(50)])

    assert await client.messages() == [str(number) for number in range(30, 50)]
    assert "newest 20 of each table" in (await client.ask("/"))[1]


async def test_columns_are_told_with_their_types(client):
    _, text = await client.ask("/columns")

    assert msgspec.json.decode(text)["AppMetrics"]["Sum"] == "real"


@pytest.mark.parametrize("path", ["/tables/AppEvents", "/traces/none"])
async def test_what_is_not_there_is_not_found(client, path):
    assert (await client.ask(path))[0] == 404


async def test_a_page_allows_no_script_of_any_origin(client):
    async with client.session.get(client.admin + "/lines") as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_the_connection_string_is_as_azure_writes_it_and_leads_nowhere_else(client):
    assert client.connection["IngestionEndpoint"] == client.connection["LiveEndpoint"]
    assert client.connection["IngestionEndpoint"].startswith("http://127.0.0.1:")
    assert client.connection["IngestionEndpoint"].endswith("/")
