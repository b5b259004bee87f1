"""The command line of the local platform: `python -m local <command>`."""

import argparse
import pkgutil
import sys

from local.platform.options import add_start_arguments


def main() -> int:
    """Run the command that was asked for and return its exit code.

    A command is imported only now: `doctor` must run where the packages of the others are missing.
    """
    arguments = _parser().parse_args()
    exit_code: int = pkgutil.resolve_name(arguments.command)(arguments)
    return exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="The platform of this app on one machine.")
    verbs = parser.add_subparsers(required=True, metavar="command")
    run = verbs.add_parser("run", help="show one short window of each feed, and check its counts")
    add_start_arguments(run, name="run")
    run.add_argument("--feed", help="show this feed alone")
    run.set_defaults(command="local.demo.run:run")
    up = verbs.add_parser("up", help="run everything until Ctrl-C")
    add_start_arguments(up, name="up")
    up.set_defaults(command="local.platform.commands:up")
    platform = verbs.add_parser("platform", help="run all but the Functions host, for `func start`")
    add_start_arguments(platform, name="up")
    platform.set_defaults(command="local.platform.commands:platform")
    doctor = verbs.add_parser("doctor", help="say what is missing or misconfigured")
    doctor.set_defaults(command="local.doctor:doctor")
    return parser


if __name__ == "__main__":
    sys.exit(main())
