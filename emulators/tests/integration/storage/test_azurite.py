"""Azurite, kept, under the official clients."""

import asyncio
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient, LinearRetry

from emulators.storage import azurite as keeping
from emulators.storage.azurite import AzuriteFailed, installed_azurite, kept_azurite

SCRIPT = installed_azurite(Path.cwd())
FREE = {"blob": 0, "queue": 0, "table": 0}


async def test_blob_comes_back_as_it_was_stored(azurite):
    async with BlobServiceClient.from_connection_string(azurite["connection_string"]) as service:
        container = await service.create_container("reference")
        await container.upload_blob("assets/one.txt", b"one")

        stored = await container.download_blob("assets/one.txt")

        assert await stored.readall() == b"one"


async def test_row_comes_back_as_it_was_stored(azurite):
    async with TableServiceClient.from_connection_string(azurite["connection_string"]) as service:
        table = await service.create_table("windows")
        await table.create_entity({"PartitionKey": "trades", "RowKey": "1", "state": "planned"})

        row = await table.get_entity("trades", "1")

        assert row["state"] == "planned"


async def test_no_process_is_left_after_the_end(tmp_path, azurite_processes):
    async with kept_azurite(SCRIPT, tmp_path, FREE):
        assert len(azurite_processes()) == 1

    assert azurite_processes() == []


async def test_dead_azurite_is_started_again_where_its_clients_look_for_it(azurite, azurite_processes):
    patient = LinearRetry(backoff=0.2, retry_total=100, retry_connect=100, random_jitter_range=0)
    (dead,) = azurite_processes()
    dead.kill()

    async with BlobServiceClient.from_connection_string(azurite["connection_string"], retry_policy=patient) as service:
        await service.create_container("after")

    (again,) = azurite_processes()
    assert again.pid != dead.pid


async def start_and_stop(location, ports, script=SCRIPT):
    async with kept_azurite(script, location, ports):
        pass


async def test_taken_port_fails_the_start_at_once(tmp_path, azurite_processes):
    with closing(socket.create_server(("127.0.0.1", 0))) as holder:
        ports = FREE | {"queue": holder.getsockname()[1]}

        with pytest.raises(AzuriteFailed, match="ended before it listened"):
            await start_and_stop(tmp_path, ports)

    assert azurite_processes() == []


async def test_azurite_that_keeps_dying_ends_its_keeper(tmp_path, monkeypatch, azurite_processes):
    monkeypatch.setattr(keeping, "MOST_RESTARTS", 0)
    asked_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_end.set)

    async def live_until_asked():
        async with kept_azurite(SCRIPT, tmp_path, FREE):
            azurite_processes()[0].kill()
            await asyncio.wait_for(asked_to_end.wait(), 10)

    with pytest.raises(AzuriteFailed, match="died"):
        await live_until_asked()


async def test_absent_azurite_is_named_with_what_to_do(tmp_path):
    with pytest.raises(AzuriteFailed, match=r"absent\.js is not there: install it"):
        await start_and_stop(tmp_path, FREE, tmp_path / "absent.js")
