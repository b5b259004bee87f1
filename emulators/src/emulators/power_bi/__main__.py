"""Run the push endpoint of Power BI: `python -m emulators.power_bi --datasets datasets.json`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emulators.power_bi.datasets import Dataset, read_datasets
from emulators.power_bi.server import running
from emulators.service import run_service


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and Serve until SIGTERM or SIGINT."""
    port, datasets = configuration(arguments)
    run_service("power_bi", running(datasets, port=port))


def configuration(arguments: Sequence[str] | None = None) -> tuple[int, list[Dataset]]:
    """Give the port and the datasets; argparse ends the process with the reason for a bad command line."""
    parser = argparse.ArgumentParser(prog="python -m emulators.power_bi", description=__doc__)
    parser.add_argument("--port", type=int, default=20009, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--datasets", type=Path, required=True, help="JSON list of workspace, dataset_id, key, columns")
    options = parser.parse_args(arguments)
    try:
        found = read_datasets(options.datasets)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if not found:
        parser.error(f"{options.datasets} describes no dataset")
    return options.port, found


if __name__ == "__main__":
    main()
