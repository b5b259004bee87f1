"""Run the local Entra: `python -m emulators.entra --certificate server.pem --identities identities.json`."""

import argparse
from datetime import timedelta
from pathlib import Path

from emulators.entra.identities import read_identities
from emulators.entra.server import DEFAULT_TOKEN_LIFETIME, running
from emulators.service import run_service


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    run_service(
        "entra",
        running(
            read_identities(arguments.identities),
            arguments.certificate,
            port=arguments.port,
            lifetime=timedelta(seconds=arguments.token_lifetime_seconds),
        ),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.entra", description="Entra ID on one machine.")
    parser.add_argument("--port", type=int, default=20001, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--certificate", type=Path, required=True, help="PEM file with the server's key and chain")
    parser.add_argument("--identities", type=Path, required=True, help="JSON file with tenant, clients and SAS keys")
    parser.add_argument(
        "--token-lifetime-seconds", type=int, default=int(DEFAULT_TOKEN_LIFETIME.total_seconds()), metavar="N"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
