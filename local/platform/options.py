"""The options that every start of a platform has."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from local.clone import CONTRACTS

USUAL_PARTITIONS = 4
_PARTITIONS = {"transactions": 10}


def default_hubs(contracts: Path = CONTRACTS) -> str:
    """Give each record contract's stream a hub: `trades:4,transactions:10`.

    The contract of a record has an `x-key`; its title is `<stream>/<version>`.
    """
    schemas = (json.loads(path.read_text(encoding="utf-8")) for path in contracts.glob("*.schema.json"))
    streams = sorted({schema["title"].partition("/")[0] for schema in schemas if "x-key" in schema})
    return ",".join(f"{stream}:{_PARTITIONS.get(stream, USUAL_PARTITIONS)}" for stream in streams)


def with_named_hubs(hubs: str, settings: Mapping[str, str]) -> str:
    """Add the hubs that app settings give to streams (`<STREAM>_HUB`, `<STREAM>_HUBS`), each as large as the stream's.

    hubs: `name:partitions,…`, of which a stream's own hub has its name.
    """
    partitions = dict(hub.rsplit(":", 1) for hub in hubs.split(","))
    for setting, names in settings.items():
        stream = setting.removesuffix("S").removesuffix("_HUB").lower()
        if setting.endswith(("_HUB", "_HUBS")) and stream in partitions:
            partitions = {name.strip(): partitions[stream] for name in names.split(",") if name.strip()} | partitions
    return ",".join(f"{name}:{count}" for name, count in sorted(partitions.items()))


def add_start_arguments(parser: argparse.ArgumentParser, *, name: str) -> None:
    """Give a parser the options that every start of a platform has."""
    parser.add_argument("--name", default=name, help="state is kept in .local/<name> (default: %(default)s)")
    parser.add_argument("--clear", action="store_true", help="begin with an empty state")
    parser.add_argument("--free-ports", action="store_true", help="let every service choose a free port")
    parser.add_argument("--hubs", default=default_hubs(), metavar="NAME:PARTITIONS,…", help="default: %(default)s")
    parser.add_argument("--recording", type=Path, help="replay a file of exchange frames, not a synthetic market")
    parser.add_argument(
        "--polling", type=float, metavar="SECONDS", help="let the Functions host deliver as late as Azure, 30 s at most"
    )
