"""Run a notification hub: `python -m emulators.notification_hubs --certificate server.pem --key-file push.key`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emulators.key_files import read_key
from emulators.notification_hubs.server import NotificationHubs, running
from emulators.service import run_service


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and Serve until SIGTERM or SIGINT."""
    run_service("notification_hubs", running(configuration(arguments)))


def configuration(arguments: Sequence[str] | None = None) -> NotificationHubs:
    """Translate the command line; a key that can't be read ends the process with the reason."""
    parser = argparse.ArgumentParser(prog="python -m emulators.notification_hubs", description=__doc__)
    parser.add_argument("--port", type=int, default=20014, help="HTTPS; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--admin-port", type=int, default=20015)
    parser.add_argument("--certificate", type=Path, required=True, help="PEM: the server's key and chain")
    parser.add_argument("--hub", default="phones", help="name of the hub (default: %(default)s)")
    parser.add_argument("--policy", default="send", help="name of the policy (default: %(default)s)")
    parser.add_argument("--key-file", type=Path, required=True, help="file with the policy's key")
    options = parser.parse_args(arguments)
    try:
        key = read_key(options.key_file)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return NotificationHubs(
        certificate=options.certificate,
        hub=options.hub,
        policy=options.policy,
        key=key,
        port=options.port,
        admin_port=options.admin_port,
    )


if __name__ == "__main__":
    main()
