"""Reads a local hub by azure-eventhub's own loop and by Spark, in turns; prints each reading's seconds as JSON.

Runs in the lakehouse's environment (`.venv-lakehouse`), started by `benchmarks.lakehouse_source`.
"""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

from azure.eventhub import EventHubConsumerClient, TransportType
from hub_stage import ROOT, Platform, platform
from lakehouse.request import Stream
from lakehouse.session import spark_session
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.hub_client import credential_of
from pyspark.sql import SparkSession

type Reading = dict[str, float]
"""`{"records": ..., "wall": seconds, "CPU": seconds}` of one reading of a whole hub, start included."""

PARTITIONS = ("0", "1")
EVENTS = {"rows": 60_000, "packs": 600, "few": 1}
"""Events of each partition by hub; reading `few` is what a start costs."""
RECORDS = 500
ROUNDS = 5
RECORD = b'{"id": 1234567890, "symbol": "BTC-USD", "price": 67890.12345678, "volume": 0.00123400, "note": "%s"}' % (
    b"x" * 80
)
PROPERTIES = {"contract": "trades/1", "slice": "trades-20261122T100000Z/1.1"}
PACKED = PROPERTIES | {"rows": RECORDS, "encoding": "identity"}


def main() -> None:
    """Fill the hubs, warm each side up, then measure them in turns."""
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder), "rows:2,packs:2,few:2") as hubs:
        for partition in PARTITIONS:
            for hub in ("rows", "few"):
                hubs.send_many(hub, partition, [RECORD] * EVENTS[hub], PROPERTIES)
            hubs.send_many("packs", partition, [b"\n".join([RECORD] * RECORDS)] * EVENTS["packs"], PACKED)
        jars = sorted((ROOT / ".cache/jars").glob("*.jar"))
        spark = spark_session("bench", lake_root=f"{folder}/lake", jars=jars)
        spark.sparkContext.setLogLevel("OFF")
        laps = [lap(hubs, spark, Path(folder, str(number))) for number in range(ROUNDS + 1)]
        print(json.dumps(laps[1:]))
        spark.stop()


def lap(hubs: Platform, spark: SparkSession, folder: Path) -> dict[str, Reading]:
    """Read each hub once by each side."""
    found = {}
    for hub in ("few", "rows"):
        found[f"peer, {hub}"] = timed(lambda hub=hub: read_by_the_client_alone(hubs, hub), process_time)
    for hub in EVENTS:
        reading = timed(lambda hub=hub: read_by_spark(hubs, spark, hub, str(folder / hub)), lambda: cpu_of_spark(spark))
        found[f"ours, {hub}"] = reading
    return found


def timed(read: Callable[[], int], cpu: Callable[[], float]) -> Reading:
    """Read, and take the time on the wall and of the CPU."""
    start, spent = perf_counter(), cpu()
    return {"records": read(), "wall": perf_counter() - start, "CPU": cpu() - spent}


def cpu_of_spark(spark: SparkSession) -> float:
    """Return the CPU seconds of the JVM, of the Python workers it started, and of this process."""
    jvm = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()  # noqa: SLF001 (nothing else tells it)
    return process_time() + cpu_of_tree(jvm)


def cpu_of_tree(pid: int) -> float:
    """Return the CPU seconds of a process, of its children that live, and of those that it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = [task.read_text().split() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except FileNotFoundError:
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_of_tree(int(child)) for found in children for child in found)


def read_by_spark(hubs: Platform, spark: SparkSession, hub: str, checkpoint: str) -> int:
    """Read a hub to its end into nothing, by one query from start to stop; give the number of records."""
    events = EventHubsSource(hubs.config()).open(Stream(hub, hub, f"{hub}/1")).events(spark)
    writer = events.writeStream.format("noop").option("checkpointLocation", checkpoint)
    query = writer.trigger(availableNow=True).start()
    query.awaitTermination()
    read = sum(progress["numInputRows"] for progress in query.recentProgress)
    assert read == len(PARTITIONS) * EVENTS[hub], read
    return read * (RECORDS if hub == "packs" else 1)


def read_by_the_client_alone(hubs: Platform, name: str) -> int:
    """Receive all row events and look at their bodies, as a program without Spark would; give their number."""
    hub, seen = hubs.hub(name), [0]
    client = EventHubConsumerClient(
        hub.namespace,
        hub.name,
        "$Default",
        credential_of(hub),
        transport_type=TransportType.Amqp,
        custom_endpoint_address=hub.endpoint,
        connection_verify=hub.ca_bundle,
    )

    def take(_: object, events: list) -> None:
        seen[0] += sum(1 for event in events if b"".join(event.body))
        if seen[0] == len(PARTITIONS) * EVENTS[name]:
            client.close()

    client.receive_batch(take, starting_position="-1", max_batch_size=3_000, prefetch=3_000)
    return seen[0]


if __name__ == "__main__":
    main()
