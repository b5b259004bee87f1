"""Hosts a Functions app on this machine: python -m emulators.functions_host --app DIR --state FILE."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from emulators.functions_host.errors import AppRefused
from emulators.functions_host.supervisor import Hosting, hosting
from emulators.service import run_service


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; gives 1, with the reason on standard error, when the app can't be hosted."""
    try:
        run_service("functions_host", hosting(_configuration(arguments)))
    except (AppRefused, OSError) as error:
        sys.stderr.write(f"functions_host: {error}\n")
        return 1
    return 0


def _configuration(arguments: Sequence[str] | None) -> Hosting:
    parser = argparse.ArgumentParser(prog="python -m emulators.functions_host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="the folder with function_app.py and host.json")
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file of task hub, timers and keys")
    parser.add_argument("--settings", type=Path, help="default: local.settings.json in the app's folder")
    parser.add_argument("--port", type=int, default=7071)
    parser.add_argument("--rpc-port", type=int, default=17071)
    parser.add_argument("--enable-auth", action="store_true", help="ask for keys, as Azure does")
    parser.add_argument(
        "--polling", type=float, default=0.0, metavar="SECONDS", help="deliver as late as an idle task hub in Azure"
    )
    parser.add_argument(
        "--message-lock",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="hide a queue message for so long at a time; after the host's death it comes back so late (Azure: 600)",
    )
    options = parser.parse_args(arguments)
    options.settings = options.settings or options.app / "local.settings.json"
    return Hosting(**vars(options))


if __name__ == "__main__":
    sys.exit(main())
