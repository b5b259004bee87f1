"""`python -m emulators.event_hubs`: Event Hubs as a process of its own."""

import argparse
import os
import ssl
from collections.abc import Sequence
from pathlib import Path

from emulators.entra.identities import read_identities
from emulators.entra.published_keys import PublishedKeys
from emulators.event_hubs.capture import Capture
from emulators.event_hubs.capture_files import BlobSink
from emulators.event_hubs.server import DEFAULT_RETENTION_BYTES, EventHubs, running
from emulators.service import run_service
from emulators.tls import client_context

_MOST_PARTITIONS = 100
_CAPTURE_BYTES = 10 * 1024 * 1024
_CAPTURE_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and Serve until SIGTERM or SIGINT."""
    run_service("event_hubs", running(configuration(arguments)))


def configuration(arguments: Sequence[str] | None = None) -> EventHubs:
    """Translate the command line; argparse ends the process with the reason for a bad one."""
    options = _parser().parse_args(arguments)
    trust = client_context(options.authority) if options.authority else ssl.create_default_context()
    return EventHubs(
        hubs=options.hubs,
        certificate=options.certificate,
        identities=read_identities(options.identities),
        keys=PublishedKeys(options.issuer, trust),
        amqps_port=options.amqps_port,
        amqp_port=options.amqp_port,
        websocket_port=options.websocket_port,
        admin_port=options.admin_port,
        consumer_groups=options.consumer_groups,
        retention_bytes=options.retention_bytes,
        capture=_capture(options),
    )


def parse_hubs(text: str) -> dict[str, int]:
    """Parse `orders:4,clicks:10`; raise ArgumentTypeError that names the part at fault."""
    hubs = {}
    for part in text.split(","):
        name, _, count = part.partition(":")
        if not name or not count.isdigit() or not 1 <= int(count) <= _MOST_PARTITIONS:
            raise argparse.ArgumentTypeError(f"{part!r} is not NAME:PARTITIONS with 1 to {_MOST_PARTITIONS} partitions")
        hubs[name] = int(count)
    return hubs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("emulators.event_hubs", description=__doc__)
    parser.add_argument("--hubs", type=parse_hubs, required=True, help="orders:4,clicks:10")
    parser.add_argument("--amqps-port", type=int, default=5671)
    parser.add_argument("--amqp-port", type=int, help="plain AMQP; not served unless given")
    parser.add_argument(
        "--websocket-port", type=int, help="AMQP over WebSockets (443 in Azure); not served unless given"
    )
    parser.add_argument("--admin-port", type=int, default=20002)
    parser.add_argument("--certificate", type=Path, required=True, help="PEM: the server's key and chain")
    parser.add_argument("--identities", type=Path, required=True, help="JSON: clients with roles, SAS policies")
    parser.add_argument("--issuer", required=True, help="https://localhost:20001/<tenant>")
    parser.add_argument("--authority", type=Path, help="PEM: the authority that signed the issuer's certificate")
    parser.add_argument("--consumer-groups", type=lambda text: tuple(text.split(",")), default=("$Default",))
    parser.add_argument("--retention-bytes", type=int, default=DEFAULT_RETENTION_BYTES)
    _add_capture(parser.add_argument_group("capture", "off unless a container is named"))
    return parser


def _add_capture(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--capture-container", help="where the Avro files go")
    group.add_argument("--capture-storage", metavar="VARIABLE", help="environment variable: connection string")
    group.add_argument("--capture-size", type=int, default=_CAPTURE_BYTES, help="bytes (default: %(default)s)")
    group.add_argument("--capture-seconds", type=float, default=_CAPTURE_SECONDS, help="(default: %(default)s)")
    group.add_argument("--capture-skip-empty", action="store_true", help="write no file for a time without events")


def _capture(options: argparse.Namespace) -> Capture | None:
    if options.capture_container is None:
        return None
    connection = os.environ.get(options.capture_storage or "")
    if not connection:
        raise SystemExit(
            "event_hubs: --capture-container needs --capture-storage VARIABLE, and that variable must hold the"
            " connection string of a storage account."
        )
    sink = BlobSink(connection, options.capture_container)
    return Capture(sink, options.capture_size, options.capture_seconds, options.capture_skip_empty)


if __name__ == "__main__":
    main()
