"""Run the local Logic Apps: `python -m emulators.logic_app --certificate server.pem --definitions … --outbox …`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emulators.logic_app.reading import NotUnderstood, read_workflows
from emulators.logic_app.server import LogicApps, running
from emulators.service import run_service


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and Serve until SIGTERM or SIGINT."""
    run_service("logic_app", running(configuration(arguments)))


def configuration(arguments: Sequence[str] | None = None) -> LogicApps:
    """Translate the command line; a definition that is not understood ends the process with the reason."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        workflows = read_workflows(options.definitions)
    except NotUnderstood as error:
        parser.error(str(error))
    return LogicApps(
        workflows=workflows,
        certificate=options.certificate,
        outbox=options.outbox,
        port=options.port,
        admin_port=options.admin_port,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators.logic_app", description=__doc__)
    parser.add_argument("--port", type=int, default=20010, help="HTTPS; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--admin-port", type=int, default=20011)
    parser.add_argument("--certificate", type=Path, required=True, help="PEM: the server's key and chain")
    parser.add_argument("--definitions", type=Path, required=True, help="folder with <name>/workflow.json")
    parser.add_argument("--outbox", type=Path, required=True, help="folder for mails, ids and the signature's key")
    return parser


if __name__ == "__main__":
    main()
