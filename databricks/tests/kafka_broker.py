"""A real Apache Kafka broker (KRaft, one process, plain) for the length of a block."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

JARS = Path(__file__).resolve().parents[2] / ".cache/jars-kafka"
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
log.dirs={folder}/kafka
num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


@contextlib.contextmanager
def kafka_broker(folder: Path) -> Iterator[str]:
    """Format a log in `folder` and run a broker on it; yields its address once it serves."""
    broker, controller = _free_ports(2)
    properties = folder / "kafka.properties"
    properties.write_text(_PROPERTIES.format(broker=broker, controller=controller, folder=folder))
    made = _command("kafka.tools.StorageTool", "format", "--cluster-id", _CLUSTER, "--config", str(properties))
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process = subprocess.Popen(
        _command("kafka.Kafka", str(properties)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _wait_until_it_serves(process)
        yield f"127.0.0.1:{broker}"
    finally:
        process.send_signal(signal.SIGKILL)  # what it would write at the end, nobody reads
        process.wait(10)
        process.stdout.close()


def _wait_until_it_serves(process: subprocess.Popen[str]) -> None:
    said = []
    for line in process.stdout:
        said.append(line)
        if "Kafka Server started" in line:
            return
    raise AssertionError("Kafka ended before it served:\n" + "".join(said[-20:]))


def _command(main: str, *arguments: str) -> list[str]:
    java = Path(os.environ["JAVA_HOME"]) / "bin/java" if "JAVA_HOME" in os.environ else "java"
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", *_QUIET]
    return [str(java), *quick, "-cp", f"{JARS}/*", main, *arguments]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


_CLUSTER = "bGFrZWhvdXNlLXRlc3RzMA"
_QUIET = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
)
"""The broker may say that it serves, and little else: nobody empties its pipe."""
