"""Run the Jobs service: `python -m emulators.databricks --bundle databricks --target local …`."""

import argparse
import os
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulators.databricks.bundle import read_bundle
from emulators.databricks.definitions import BundleError
from emulators.databricks.programs import TaskRunner
from emulators.databricks.server import JobsService, running
from emulators.databricks.target_modes import DEVELOPER
from emulators.entra.published_keys import PublishedKeys
from emulators.service import run_service
from emulators.tls import client_context


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and Serve until SIGTERM or SIGINT."""
    run_service("databricks", running(configuration(arguments, os.environ)))


def configuration(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> JobsService:
    """Translate the command line; argparse ends the process with the reason for a bad one."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if missing := [name for name in options.secret_env if name not in environment]:
        parser.error(f"--secret-env {', '.join(missing)}: not set in the environment")
    if not options.python.exists():
        parser.error(
            f"--python {options.python} is not there: give the interpreter that has the packages of the bundle's jobs"
        )
    try:
        bundle = read_bundle(options.bundle.resolve(), options.target, dict(options.variable), options.user)
    except BundleError as error:
        parser.error(str(error))
    trust = client_context(options.ca) if options.ca else ssl.create_default_context()
    state: Path = options.state.resolve()
    return JobsService(
        bundle=bundle,
        task_runner=TaskRunner(
            bundle.folder, options.python.absolute(), state / "runs", dict(environment), options.secret_env
        ),
        state=state,
        certificate=options.certificate,
        keys=PublishedKeys(options.issuer, trust),
        port=options.port,
        admin_port=options.admin_port,
        kill_after=options.kill_after,
    )


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators.databricks", description=__doc__)
    parser.add_argument("--port", type=int, default=20007, help="HTTPS; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--admin-port", type=int, default=20008)
    parser.add_argument("--certificate", type=Path, required=True, help="PEM: the server's key and chain")
    parser.add_argument("--bundle", type=Path, required=True, help="folder with databricks.yml and pyproject.toml")
    parser.add_argument("--target", default="local")
    parser.add_argument("--variable", type=_variable, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user", default=DEVELOPER, help="who deploys the bundle (default: %(default)s)")
    parser.add_argument("--issuer", required=True, help="https://localhost:20001/<tenant>")
    parser.add_argument("--ca", type=Path, help="PEM: the authority that signed the issuer's certificate")
    parser.add_argument("--state", type=Path, required=True, help="folder for runs, logs and tokens")
    parser.add_argument("--python", type=Path, required=True, help="the interpreter that runs the tasks")
    parser.add_argument(
        "--secret-env",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="environment variables for the tasks",
    )
    parser.add_argument("--kill-after", type=float, default=20.0, metavar="S", help="SIGTERM to SIGKILL, in seconds")
    return parser


if __name__ == "__main__":
    main()
