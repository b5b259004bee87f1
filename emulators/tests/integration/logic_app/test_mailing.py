"""Orders over real HTTPS: mailed once each, whatever is sent again and whatever goes wrong."""

import asyncio

import aiohttp
import pytest

from emulators.testing import running_service
from tests.integration.logic_app.conftest import DEFINITIONS, ORDER

SENT, REPEATED = (200, {"status": "sent"}), (200, {"status": "repeated"})


async def test_an_order_becomes_a_mail(client):
    assert await client.post() == SENT

    (mail,) = await client.mails()
    assert (mail["subject"], mail["to"]) == ("Order shipped", "shop@example.com")
    assert mail["text"] == "Items: 12\nWeight: 4\nTwelve items are on their way.\n"


async def test_a_repeated_order_makes_no_second_mail(client):
    assert [await client.post() for _ in range(3)] == [SENT, REPEATED, REPEATED]
    assert len(await client.mails()) == 1


async def test_twenty_senders_of_one_order_at_once_make_one_mail(client):
    answers = await asyncio.gather(*(client.post() for _ in range(20)))

    assert sorted(body["status"] for _, body in answers) == ["repeated"] * 19 + ["sent"]
    assert len(await client.mails()) == 1


async def test_another_id_is_another_order(client):
    other = ORDER | {"order_id": "north:2"}

    assert [await client.post(), await client.post(other)] == [SENT, SENT]
    assert len(await client.mails()) == 2


async def test_ids_are_remembered_and_the_url_stays_the_same_past_a_restart(serve):
    async with serve() as client:
        before = await client.post()
        signature = client.addresses["order_notice"].partition("?")[2]
    async with serve() as client:
        after = await client.post()

        assert (before, after) == (SENT, REPEATED)
        assert client.addresses["order_notice"].partition("?")[2] == signature
        assert len(await client.mails()) == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failure_before_the_effect_leaves_nothing_behind(client, status):
    await client.fault("unavailable", status=status, count=2)

    answers = [(await client.post())[0] for _ in range(2)]

    assert (answers, await client.mails()) == ([status, status], [])
    assert await client.post() == SENT


async def test_too_many_requests_are_answered_with_when_to_try_again(client):
    await client.fault("too_many_requests", retry_after=7)

    answer, _ = await client.whole()

    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert await client.post() == SENT


async def test_a_redirect_leads_away_and_does_nothing(client):
    await client.fault("redirect", location="https://127.0.0.1:9/x")

    answer, _ = await client.whole()

    assert (answer.status, answer.headers["Location"]) == (307, "https://127.0.0.1:9/x")
    assert await client.mails() == []


async def test_a_connection_cut_after_the_effect_makes_no_second_mail(client):
    await client.fault("lost_answer")

    with pytest.raises(aiohttp.ClientError):
        await client.post()

    assert await client.post() == REPEATED
    assert len(await client.mails()) == 1


async def test_a_500_after_the_effect_makes_no_second_mail(client):
    await client.fault("lost_answer", drop=False)

    answers = [(await client.post())[0] for _ in range(2)]

    assert answers == [500, 200]
    assert len(await client.mails()) == 1


async def test_a_caller_that_does_not_wait_has_its_mail_all_the_same(client):
    await client.fault("slow", seconds=0.3)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.post()

    assert await client.post() == REPEATED
    assert len(await client.mails()) == 1


async def test_the_page_shows_mails_without_believing_their_markup(client):
    await client.post(ORDER | {"message": "<script>alert(1)</script>"})

    status, page = await client.admin("GET", "/")

    assert status == 200
    assert "1 mails" in page
    assert "<script>" not in page
    assert "&lt;script>" in page or "&lt;script&gt;" in page


async def test_the_admin_port_shows_runs_and_faults_that_hold(client):
    await client.fault("slow", seconds=0, count=2)
    await client.post()

    _, runs = await client.admin("GET", "/runs")
    _, faults = await client.admin("GET", "/faults")
    _, cleared = await client.admin("DELETE", "/faults")

    assert runs["runs"][0]["actions"]["Mail_shipped"] == "Succeeded"
    assert (faults["faults"][0]["left"], cleared["faults"]) == (1, [])
    assert (await client.admin("GET", "/health"))[1] == {"status": "ok", "workflows": {"order_notice": 1}}
    assert (await client.admin("POST", "/faults", {"kind": "unknown"}))[0] == 400


def test_the_emulator_runs_as_a_process_and_its_log_holds_no_signature(tls, tmp_path):
    log, outbox = tmp_path / "log", tmp_path / "outbox"
    arguments = ["--certificate", tls.server, "--definitions", DEFINITIONS, "--outbox", outbox]
    with running_service("logic_app", "--port", 0, "--admin-port", 0, *arguments, log=log) as addresses:
        url = addresses["order_notice"]

    path, _, query = url.partition("?")
    signature = query.rpartition("sig=")[2]
    assert path.endswith("/workflows/order_notice/triggers/manual/paths/invoke")
    assert query.startswith("api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=")
    assert signature not in log.read_text()
