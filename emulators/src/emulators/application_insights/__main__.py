"""Run the local Application Insights: `python -m emulators.application_insights --state folder`."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from emulators.application_insights.authentication import AUDIENCES, Authenticator
from emulators.application_insights.server import ApplicationInsights, running
from emulators.application_insights.store import MOST_ROWS
from emulators.entra.checking import JwtChecker
from emulators.entra.identities import read_identities
from emulators.entra.published_keys import PublishedKeys
from emulators.service import run_service
from emulators.tls import client_context


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve until SIGTERM or SIGINT."""
    run_service("application_insights", running(configuration(arguments)))


def configuration(arguments: Sequence[str] | None = None) -> ApplicationInsights:
    """Translate the command line; a file that can't be read ends the process with the reason."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        authenticator = _authenticator(options) if options.issuer else None
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return ApplicationInsights(
        state=options.state,
        port=options.port,
        admin_port=options.admin_port,
        certificate=options.certificate,
        authenticator=authenticator,
        most_rows=options.rows,
    )


def _authenticator(options: argparse.Namespace) -> Authenticator:
    if not options.ca or not options.identities:
        raise ValueError("--issuer needs --ca and --identities")
    keys = PublishedKeys(options.issuer, client_context(options.ca))
    return Authenticator(read_identities(options.identities), JwtChecker(AUDIENCES, keys, time.time))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators.application_insights", description=__doc__)
    parser.add_argument("--port", type=int, default=20016, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--admin-port", type=int, default=20017)
    parser.add_argument("--state", type=Path, required=True, help="folder of the tables and the instrumentation key")
    parser.add_argument("--rows", type=int, default=MOST_ROWS, help="how many of each table (default: %(default)s)")
    parser.add_argument("--certificate", type=Path, help="PEM: the server's key and chain; without it, plain HTTP")
    parser.add_argument("--issuer", help="who issues Entra tokens, where only those are taken")
    parser.add_argument("--ca", type=Path, help="PEM: the authority that signed the issuer's certificate")
    parser.add_argument("--identities", type=Path, help="JSON: the tenant and its clients")
    return parser


if __name__ == "__main__":
    main()
