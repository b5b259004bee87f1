import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from emulators.tls import client_context, make_tls_files


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


async def test_a_client_that_trusts_another_authority_is_not_served(start, tls, tmp_path):
    exchange = await start(certificate=tls.server, history_seconds=0)
    stranger = client_context(make_tls_files(tmp_path).authority)

    async with aiohttp.ClientSession() as session:
        for address in (exchange.addresses["websocket"] + "/coinbase/ws", exchange.addresses["rest"]):
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(address.replace("wss:", "https:"), ssl=stranger)


async def test_over_tls_a_trusting_client_is_served(start, tls):
    exchange = await start(certificate=tls.server, history_seconds=0)

    async with aiohttp.ClientSession() as session:
        address = exchange.addresses["websocket"] + "/kraken/v2"
        async with session.ws_connect(address, ssl=client_context(tls.authority)) as socket:
            assert (await socket.receive_json())["channel"] == "status"


async def test_the_command_announces_itself_serves_and_ends_on_sigterm(tls):
    command = [sys.executable, "-m", "emulators.exchange", "--certificate", str(tls.server), "--history-seconds", "1"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    ready = json.loads(await process.stdout.readline())
    async with aiohttp.ClientSession() as session:
        url = ready["addresses"]["rest"] + "/coinbase/products"
        async with session.get(url, ssl=client_context(tls.authority)) as answer:
            assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()

    assert ready["service"] == "exchange"
    assert ready["addresses"]["websocket"].startswith("wss://localhost:")
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors
