"""Run the local Cosmos DB: `python -m emulators.cosmos --key-file key --certificate server.pem --ca ca.pem …`."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from emulators.cosmos.authentication import AUDIENCES, Authenticator
from emulators.cosmos.containers import LEAST_THROUGHPUT, Declaration
from emulators.cosmos.node_server import CosmosServerFailed, installed_package
from emulators.cosmos.server import Cosmos, running
from emulators.entra.checking import JwtChecker
from emulators.entra.identities import read_identities
from emulators.entra.published_keys import PublishedKeys
from emulators.key_files import read_key
from emulators.processes.node_programs import NodeMissing
from emulators.service import run_service
from emulators.tls import client_context


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve until SIGTERM or SIGINT."""
    try:
        run_service("cosmos", running(configuration(arguments)))
    except (CosmosServerFailed, NodeMissing) as failure:
        sys.exit(str(failure))


def configuration(arguments: Sequence[str] | None = None) -> Cosmos:
    """Translate the command line; a container that means nothing ends the process with the reason."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        containers = [_declared(text, options) for text in options.container]
    except ValueError as error:
        parser.error(str(error))
    keys = PublishedKeys(options.issuer, client_context(options.ca))
    authenticator = Authenticator(
        key=read_key(options.key_file),
        identities=read_identities(options.identities),
        tokens=JwtChecker(AUDIENCES, keys, time.time),
        epoch=time.time,
    )
    return Cosmos(
        server=options.server,
        certificate=options.certificate,
        authenticator=authenticator,
        containers=containers,
        partitions=options.partitions,
        port=options.port,
        admin_port=options.admin_port,
    )


def _declared(text: str, options: argparse.Namespace) -> Declaration:
    """Read `<database>/<container>:<path of the partition key>`."""
    place, _, path = text.partition(":")
    database, _, name = place.partition("/")
    if not database or not name or "/" in name or not path.startswith("/"):
        raise ValueError(f"{text!r} must be <database>/<container>:/<path of the partition key>")
    return Declaration(database, name, path, options.throughput, options.partitions, options.default_ttl)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators.cosmos", description=__doc__)
    parser.add_argument("--port", type=int, default=20012, help="HTTPS; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--admin-port", type=int, default=20013)
    parser.add_argument("--certificate", type=Path, required=True, help="PEM: the server's key and chain")
    parser.add_argument(
        "--ca", type=Path, required=True, help="PEM: the authority that signed the issuer's certificate"
    )
    parser.add_argument("--issuer", required=True, help="who issues Entra tokens")
    parser.add_argument("--identities", type=Path, required=True, help="JSON: the tenant and its clients")
    parser.add_argument("--key-file", type=Path, required=True, help="the account's key, in base64")
    parser.add_argument(
        "--server",
        type=Path,
        default=installed_package(Path.cwd()),
        help="folder of @vercel/cosmosdb-server (default: from node_modules of this folder or of one above)",
    )
    parser.add_argument(
        "--container",
        action="append",
        default=[],
        metavar="DATABASE/NAME:/KEY",
        help="made at the start; may be repeated",
    )
    parser.add_argument("--throughput", type=float, default=LEAST_THROUGHPUT, help="RU/s of each container")
    parser.add_argument("--partitions", type=int, default=1, help="physical partitions of each container")
    parser.add_argument(
        "--default-ttl", type=int, default=-1, help="seconds that items live without a ttl; -1: for ever"
    )
    return parser


if __name__ == "__main__":
    main()
