"""Reads a local hub by azure-eventhub's own loop and by Spark, in turns; prints records per second as JSON.

Runs in the lakehouse's environment (`.venv-lakehouse`), started by `benchmarks.lakehouse_source`.
"""

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

from azure.eventhub import EventHubConsumerClient, TransportType
from hub_stage import ROOT, Platform, platform
from lakehouse.session import spark_session
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.hub_client import credential_of
from pyspark.sql import SparkSession

PARTITIONS = ("0", "1")
EVENTS = 60_000
PACKS, RECORDS = 600, 500
ROUNDS = 5
RECORD = b'{"id": 1234567890, "symbol": "BTC-USD", "price": 67890.12345678, "volume": 0.00123400, "note": "%s"}' % (
    b"x" * 80
)
PROPERTIES = {"contract": "trades/1", "slice": "trades-20261122T100000Z/1.1"}


def main() -> None:
    """Fill the hubs, warm each side up, then measure them in turns."""
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder), "rows:2,packs:2") as hubs:
        for partition in PARTITIONS:
            hubs.send_many("rows", partition, [RECORD] * EVENTS, PROPERTIES)
            pack = b"\n".join([RECORD] * RECORDS)
            hubs.send_many("packs", partition, [pack] * PACKS, PROPERTIES | {"rows": RECORDS, "encoding": "identity"})
        jars = sorted((ROOT / ".cache/jars").glob("*.jar"))
        spark = spark_session("bench", lake_root=f"{folder}/lake", jars=jars)
        spark.sparkContext.setLogLevel("OFF")
        print(json.dumps(measure(hubs, spark, Path(folder))))
        spark.stop()


def measure(hubs: Platform, spark: SparkSession, folder: Path) -> dict[str, list[float]]:
    """Return records per second by side and clock; a round is once the peer, once our rows, once our packs."""
    rates = defaultdict(list)
    sizes = {"rows": EVENTS, "packs": PACKS * RECORDS}
    for lap in range(ROUNDS + 1):
        with timed(rates, "peer", EVENTS, process_time):
            read_by_the_client_alone(hubs)
        for events, each in sizes.items():
            with timed(rates, events, each, lambda: cpu_of_spark(spark)):
                read_by_spark(hubs, spark, events, str(folder / f"{events}-{lap}"))
    return {side: found[1:] for side, found in rates.items()}


@contextmanager
def timed(rates: dict[str, list[float]], side: str, each: int, cpu: Callable[[], float]) -> Iterator[None]:
    """Note how many records a second a side did in the block, by the clock on the wall and of CPU time."""
    start, spent = perf_counter(), cpu()
    yield
    rates[f"{side}, wall"].append(len(PARTITIONS) * each / (perf_counter() - start))
    rates[f"{side}, CPU"].append(len(PARTITIONS) * each / (cpu() - spent))


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


def read_by_spark(hubs: Platform, spark: SparkSession, events: str, checkpoint: str) -> None:
    """Read a hub to its end into nothing, by one query from start to stop."""
    stream = EventHubsSource(hubs.config()).stream(spark, events)
    writer = stream.writeStream.format("noop").option("checkpointLocation", checkpoint)
    writer.trigger(availableNow=True).start().awaitTermination()


def read_by_the_client_alone(hubs: Platform) -> None:
    """Receive all row events and look at their bodies, as a program without Spark would."""
    hub, seen = hubs.hub("rows"), [0]
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
        if seen[0] == len(PARTITIONS) * EVENTS:
            client.close()

    client.receive_batch(take, starting_position="-1", max_batch_size=3_000, prefetch=3_000)


if __name__ == "__main__":
    main()
