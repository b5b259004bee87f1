"""Run Azurite as a service: `python -m emulators.storage --location <folder>`."""

import argparse
import sys
from pathlib import Path

from emulators.service import run_service
from emulators.storage.account import STANDARD_PORTS
from emulators.storage.azurite import AzuriteFailed, installed_azurite, kept_azurite


def main() -> None:
    """Keep Azurite running until SIGTERM."""
    arguments = _arguments()
    ports = {name: getattr(arguments, f"{name}_port") for name in STANDARD_PORTS}
    try:
        run_service("storage", kept_azurite(arguments.azurite, arguments.location, ports))
    except AzuriteFailed as failure:
        sys.exit(str(failure))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.storage", description="Azurite, kept running.")
    parser.add_argument(
        "--azurite",
        type=Path,
        default=installed_azurite(Path.cwd()),
        help="its azurite.js (default: from node_modules of this folder or of one above)",
    )
    parser.add_argument("--location", type=Path, required=True, help="folder of Azurite's data")
    for name, port in STANDARD_PORTS.items():
        parser.add_argument(f"--{name}-port", type=int, default=port, help="0 = any free one (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
