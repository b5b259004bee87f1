"""A real Apache Kafka broker (KRaft, one process) for the length of a block: plain, or also with Entra's login."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

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


_LOGIN = """\
listeners=PLAINTEXT://127.0.0.1:{broker},SASL_SSL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},SASL_SSL://127.0.0.1:{sasl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
sasl.enabled.mechanisms=OAUTHBEARER
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class={oauth}.OAuthBearerValidatorCallbackHandler
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config={oauth}.OAuthBearerLoginModule required {claim} {trust};
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url={keys}
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.expected.issuer={issuer}
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.expected.audience={audience}
"""


@dataclass(frozen=True)
class Login:
    """Whose tokens a broker takes, and the certificate (PEM: key and chain) that it shows."""

    keys: str
    issuer: str
    audience: str
    authority: str
    server: str


@dataclass(frozen=True)
class Broker:
    """Where a broker is, without a login and with one."""

    plain: str
    with_login: str


@contextlib.contextmanager
def kafka_broker(folder: Path) -> Iterator[str]:
    """Format a log in `folder` and run a plain broker on it; yields its address once it serves."""
    broker, controller = _free_ports(2)
    with _serving(folder, _PROPERTIES.format(broker=broker, controller=controller, folder=folder)):
        yield f"127.0.0.1:{broker}"


@contextlib.contextmanager
def kafka_broker_with_login(folder: Path, login: Login) -> Iterator[Broker]:
    """Run a broker that also listens over TLS to clients who bring a token of Entra's.

    Since Kafka 4.0 a broker asks no address for keys that its JVM's property does not name.
    """
    broker, controller, sasl = _free_ports(3)
    keystore = folder / "kafka.pem"
    _write_keystore(Path(login.server), keystore)
    claim = 'unsecuredLoginStringClaim_sub="broker"'  # a listener logs in as a client, too, which nobody here asks for
    trust = f'ssl.truststore.type="PEM" ssl.truststore.location="{login.authority}"'
    oauth = "org.apache.kafka.common.security.oauthbearer"
    places = {"broker": broker, "controller": controller, "sasl": sasl, "folder": folder, "keystore": keystore}
    issuing = {
        "oauth": oauth,
        "claim": claim,
        "trust": trust,
        "keys": login.keys,
        "issuer": login.issuer,
        "audience": login.audience,
    }
    with _serving(
        folder,
        (_PROPERTIES + _LOGIN).format(**places, **issuing),
        f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={login.keys}",
    ):
        yield Broker(f"127.0.0.1:{broker}", f"127.0.0.1:{sasl}")


def _write_keystore(server: Path, keystore: Path) -> None:
    """Write the key as PKCS 8, the only form that Kafka reads, and the chain after it."""
    pem = server.read_bytes()
    key = load_pem_private_key(pem, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    keystore.write_bytes(key + pem[pem.index(b"-----BEGIN CERTIFICATE-----") :])


@contextlib.contextmanager
def _serving(folder: Path, configuration: str, *options: str) -> Iterator[None]:
    properties = folder / "kafka.properties"
    properties.write_text(configuration)
    made = _command("kafka.tools.StorageTool", "format", "--cluster-id", _CLUSTER, "--config", str(properties))
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process = subprocess.Popen(
        _command("kafka.Kafka", str(properties), options=options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_until_it_serves(process)
        yield
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


def _command(main: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    java = Path(os.environ["JAVA_HOME"]) / "bin/java" if "JAVA_HOME" in os.environ else "java"
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", *_QUIET]
    return [str(java), *quick, *options, "-cp", f"{JARS}/*", main, *arguments]


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
