"""Run the local Event Grid: `python -m emulators.event_grid --key-file key --certificate server.pem --ca ca.pem …`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from azure.storage.blob import BlobServiceClient

from emulators.entra.checking import JwtChecker
from emulators.entra.identities import read_identities
from emulators.entra.published_keys import PublishedKeys
from emulators.event_grid.authentication import AUDIENCES, Authenticator
from emulators.event_grid.dead_letters import BlobDeadLetterStore, DeadLetterStore, NoDeadLetterStore
from emulators.event_grid.server import EventGrid, running
from emulators.event_grid.subscriptions import read_subscriptions
from emulators.key_files import read_key
from emulators.service import run_service
from emulators.tls import client_context


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; what can't be served ends the process with the reason."""
    options = _parser().parse_args(arguments)
    try:
        config = configuration(options)
    except (ValueError, OSError) as error:
        sys.exit(f"event_grid: {error}")
    run_service("event_grid", running(config))


def configuration(options: argparse.Namespace) -> EventGrid:
    """Translate the command line; ValueError or OSError says which file or variable is at fault."""
    trust = client_context(options.ca)
    tokens = JwtChecker(AUDIENCES, PublishedKeys(options.issuer, trust), time.time)
    return EventGrid(
        certificate=options.certificate,
        trust=trust,
        authenticator=Authenticator(read_key(options.key_file), read_identities(options.identities), tokens),
        subscriptions=read_subscriptions(options.subscriptions) if options.subscriptions else (),
        dead_letters=_dead_letters(options.storage),
        scale=options.time_scale,
        port=options.port,
        admin_port=options.admin_port,
    )


def _dead_letters(variable: str | None) -> DeadLetterStore:
    if variable is None:
        return NoDeadLetterStore()
    if not os.environ.get(variable):
        raise ValueError(f"--storage names the environment variable {variable}, which is not set.")
    return BlobDeadLetterStore(BlobServiceClient.from_connection_string(os.environ[variable]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("emulators.event_grid", description=__doc__)
    parser.add_argument("--port", type=int, default=20005, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--admin-port", type=int, default=20006)
    parser.add_argument("--certificate", type=Path, required=True, help="PEM: the server's key and chain")
    parser.add_argument("--ca", type=Path, required=True, help="PEM: the authority of the issuer and of endpoints")
    parser.add_argument("--identities", type=Path, required=True, help="JSON: the tenant and its clients")
    parser.add_argument("--issuer", required=True, help="https://localhost:20001/<tenant>")
    parser.add_argument("--key-file", type=Path, required=True, help="the file that holds the topic's key")
    parser.add_argument("--subscriptions", type=Path, help="JSON; more may come by the admin port")
    parser.add_argument("--storage", metavar="VARIABLE", help="environment variable with the connection string")
    parser.add_argument("--time-scale", type=_scale, default=1.0, help="0.01: ten seconds take a tenth of one")
    return parser


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and at most 1")
    return scale


if __name__ == "__main__":
    main()
