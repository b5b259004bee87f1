"""The options that every start of a platform has."""

import argparse
from pathlib import Path

DEFAULT_HUBS = "trades:4,transactions:10"


def add_start_arguments(parser: argparse.ArgumentParser, *, name: str) -> None:
    """Give a parser the options that every start of a platform has."""
    parser.add_argument("--name", default=name, help="state lies in .local/<name> (default: %(default)s)")
    parser.add_argument("--clear", action="store_true", help="begin with an empty state")
    parser.add_argument("--free-ports", action="store_true", help="let every service choose a free port")
    parser.add_argument("--hubs", default=DEFAULT_HUBS, metavar="NAME:PARTITIONS,…", help="default: %(default)s")
    parser.add_argument("--recording", type=Path, help="replay a file of exchange frames, not a synthetic market")
