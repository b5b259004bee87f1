"""Direct sends over TLS, as good and as bad as an app may make them."""

import base64
import hashlib
import hmac
import time
from urllib.parse import quote_plus

import aiohttp
import pytest

from emulators.key_files import write_key
from emulators.notification_hubs.server import NotificationHubs, running
from emulators.testing import running_service
from emulators.tls import client_context, make_tls_files

KEY = "k3y"
DATA = {"id": "1", "title": "20 % <b>", "text": "Bakery"}


def token(address, *, key=KEY, policy="send", ends=None):
    resource, ends = quote_plus(address.lower()), int(ends or time.time() + 60)
    digest = hmac.digest(key.encode(), f"{resource}\n{ends}".encode(), hashlib.sha256)
    signature = quote_plus(base64.b64encode(digest))
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={ends}&skn={policy}"


class Client:
    """Sends to a device, and asks the admin port."""

    def __init__(self, session, addresses):
        self.session, self.hub, self.admin = session, addresses["hub"], addresses["admin"]

    async def send(self, data=DATA, *, query="?direct&api-version=2015-04", body=None, hub=None, **headers):
        whole = {
            "Authorization": token(self.hub),
            "ServiceBusNotification-Format": "FcmV1",
            "ServiceBusNotification-DeviceHandle": "phone",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"message": {"android": {"data": data}}} if body is None else body
        async with self.session.post(f"{hub or self.hub}/messages/{query}", json=body, headers=whole) as answer:
            return answer.status, answer.headers, await answer.text()

    async def ask(self, path, body=None):
        async with self.session.request("POST" if body else "GET", self.admin + path, json=body) as answer:
            return await (answer.json() if answer.content_type == "application/json" else answer.text())


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def client(tls):
    service = NotificationHubs(tls.server, "phones", "send", KEY)
    connector = aiohttp.TCPConnector(ssl=client_context(tls.authority))
    async with aiohttp.ClientSession(connector=connector) as session, running(service) as addresses:
        yield Client(session, addresses)


async def test_a_notification_is_shown_once_on_its_device_and_on_the_page(client):
    first, again = await client.send(), await client.send()
    await client.send(ServiceBusNotification_DeviceHandle="other")

    seen = await client.ask("/inboxes")
    page = await client.ask("/")
    assert (first[0], again[0]) == (201, 201)
    assert first[1]["Location"] != again[1]["Location"]
    assert {device: [one["id"] for one in shown] for device, shown in seen["inboxes"].items()} == {
        "phone": ["1"],
        "other": ["1"],
    }
    assert (seen["repeats"], seen["inboxes"]["phone"][0]["data"]) == (1, DATA)
    assert "20 % &lt;b&gt;" in page


async def test_a_notification_without_an_id_is_shown_each_time(client):
    for _ in range(2):
        await client.send({"title": "t"})

    assert len((await client.ask("/inboxes"))["inboxes"]["phone"]) == 2


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer x",
        "SharedAccessSignature sr=x",
        {"key": "other"},
        {"policy": "listen"},
        {"ends": 1},
        {"address": "https://localhost/another"},
    ],
)
async def test_a_token_that_is_not_good_is_refused(client, authorization):
    given = {"address": client.hub} | authorization if isinstance(authorization, dict) else authorization
    header = given if isinstance(given, str) else token(given.pop("address"), **given)

    status, _, _ = await client.send(Authorization=header)

    assert status == 401
    assert (await client.ask("/inboxes"))["inboxes"] == {}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"query": "?api-version=2015-04"}, 400),
        ({"query": "?direct"}, 400),
        ({"ServiceBusNotification_Format": "template"}, 400),
        ({"ServiceBusNotification_DeviceHandle": ""}, 400),
        ({"body": {"message": {}}}, 400),
        ({"body": ["x"]}, 400),
        ({"data": {"id": 1}}, 400),
        ({"data": {"text": "x" * 70_000}}, 413),
    ],
)
async def test_what_the_service_does_not_take_is_refused_and_shown_nowhere(client, wrong, expected):
    status, _, text = await client.send(**wrong)

    assert (status, f"<Code>{expected}</Code>" in text) == (expected, True)
    assert (await client.ask("/inboxes"))["inboxes"] == {}


async def test_there_is_one_hub(client):
    other = client.hub.replace("phones", "others")

    assert (await client.send(hub=other))[0] == 404


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        ({"kind": "unavailable", "status": 502}, 502, None),
        ({"kind": "too_many_requests", "retry_after": 7}, 429, "7"),
        ({"kind": "quota"}, 403, None),
    ],
)
async def test_a_fault_is_met_by_the_next_send_and_nothing_is_shown(client, fault, status, retry_after):
    await client.ask("/faults", fault)

    failed, after = await client.send(), await client.send({"id": "2"})

    assert (failed[0], failed[1].get("Retry-After"), after[0]) == (status, retry_after, 201)
    assert [one["id"] for one in (await client.ask("/inboxes"))["inboxes"]["phone"]] == ["2"]


async def test_a_fault_of_a_device_concerns_no_other_and_who_is_gone_stays_gone(client):
    await client.ask("/faults", {"kind": "gone", "device": "phone"})

    other = await client.send(ServiceBusNotification_DeviceHandle="other")
    gone = [(await client.send())[0] for _ in range(2)]

    assert (other[0], gone) == (201, [410, 410])
    assert (await client.ask("/inboxes"))["gone"] == ["phone"]


async def test_an_answer_may_be_lost_after_the_notification_was_shown(client):
    await client.ask("/faults", {"kind": "lost_answer"})

    with pytest.raises(aiohttp.ClientError):
        await client.send()

    assert len((await client.ask("/inboxes"))["inboxes"]["phone"]) == 1


def test_it_runs_as_a_process_and_says_where_it_is(tls, tmp_path):
    write_key(KEY, tmp_path / "push.key")
    ports = ("--port", 0, "--admin-port", 0)

    with running_service(
        "notification_hubs", *ports, "--certificate", tls.server, "--key-file", tmp_path / "push.key"
    ) as addresses:
        assert addresses["hub"].endswith("/phones")
