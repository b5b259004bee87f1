"""Capture, from the official producer to Avro blobs in a real Azurite."""

import asyncio
import io
import subprocess
import time
from pathlib import Path

import fastavro
import pytest
from azure.eventhub import EventData
from azure.storage.blob import BlobServiceClient

from emulators.event_hubs.capture import Capture
from emulators.event_hubs.capture_files import BlobSink
from emulators.storage.azurite import installed_azurite, kept_azurite
from tests.integration.event_hubs.conftest import AioProducer, send, serving_hub
from tests.integration.event_hubs.test_process import arguments  # noqa: F401 (a fixture)

FREE = {"blob": 0, "queue": 0, "table": 0}


@pytest.fixture
async def storage(tmp_path):
    async with kept_azurite(installed_azurite(Path.cwd()), tmp_path / "azurite", FREE) as addresses:
        yield addresses["connection_string"]


def blobs(connection_string):
    """Give the rows of each captured blob by path; nothing while the container does not exist."""
    with BlobServiceClient.from_connection_string(connection_string, retry_total=0) as service:
        container = service.get_container_client("capture")
        if not container.exists():
            return {}
        contents = {name: container.download_blob(name).readall() for name in container.list_blob_names()}
    return {name: list(fastavro.reader(io.BytesIO(content))) for name, content in contents.items()}


def awaited(connection_string, count, seconds=15):
    """Poll the container until it holds `count` events."""
    deadline = time.monotonic() + seconds
    while sum(map(len, (found := blobs(connection_string)).values())) < count:
        assert time.monotonic() < deadline, f"only {found.keys()} within {seconds} s"
        time.sleep(0.1)
    return found


async def test_sent_events_lie_in_avro_blobs_by_partition_and_time(storage, tmp_path):
    capture = Capture(BlobSink(storage, "capture"), size=10**6, seconds=0.5, skip_empty=True)
    async with serving_hub(tmp_path / "hub", {"trades": 2}, capture=capture) as hub:
        event = EventData(b'{"price":1}')
        event.properties = {"contract": "trades/1", "rows": 3}
        await send(hub.plain_producer("trades", kind=AioProducer), [event], partition_key="BTC")
        async with hub.plain_producer("trades", kind=AioProducer) as producer:
            await producer.send_batch([EventData(b"other")], partition_id="1")
        found = await asyncio.to_thread(awaited, storage, 2)

    rows = [row for rows in found.values() for row in rows]
    keyed = next(row for row in rows if row["Body"] == b'{"price":1}')
    assert all(path.startswith("local/trades/") and path.count("/") == 8 for path in found)
    assert keyed["Properties"] == {"contract": "trades/1", "rows": 3}
    assert keyed["SystemProperties"]["x-opt-partition-key"] == "BTC"


async def test_a_full_file_is_written_before_its_time(storage, tmp_path):
    capture = Capture(BlobSink(storage, "capture"), size=1000, seconds=3600)
    async with serving_hub(tmp_path / "hub", {"trades": 1}, capture=capture) as hub:
        await send(hub.plain_producer("trades", kind=AioProducer), [EventData(b"x" * 400) for _ in range(5)])
        found = await asyncio.to_thread(awaited, storage, 3)

    assert [row["SequenceNumber"] for row in next(iter(found.values()))] == [0, 1, 2]


def test_the_process_refuses_a_container_without_storage(arguments):  # noqa: F811
    ended = subprocess.run(
        [*arguments, "--capture-container", "capture"], capture_output=True, text=True, timeout=20, check=False
    )

    assert ended.returncode == 1
    assert "--capture-storage" in ended.stderr
