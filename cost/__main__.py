"""The command line of the model: `python -m cost`, or `make cost ARGS=…`."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cost.bill import bill_of
from cost.choices import best
from cost.configuration import Deployment, case_of, settings_of
from cost.document import DOCUMENT, documented
from cost.prices import FILE, read_prices
from cost.tables import CHOICE_HEAD, HEAD, in_columns, rows_of, rows_of_choices, sum_of, unused
from shared.errors import SettingsError


def main(given: Sequence[str] | None = None) -> int:
    """Print the bill of a month and the three choices that save most, or write them into docs/deploy.md."""
    arguments = _parser().parse_args(given)
    prices = read_prices(arguments.prices)
    if arguments.document:
        DOCUMENT.write_text(documented(DOCUMENT.read_text(encoding="utf-8"), prices), encoding="utf-8")
        return 0
    try:
        case = case_of(settings_of(_written(arguments)), _deployment(arguments))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    bill = bill_of(case, prices)
    print(in_columns(HEAD, rows_of(bill, prices)))
    print(f"\nA month costs {sum_of(bill, prices)} ({prices.region}). Not used: {', '.join(unused(bill))}.")
    print("What saves most, each alone:\n")
    print(in_columns(CHOICE_HEAD, rows_of_choices(best(case, prices))))
    return 0


def _parser() -> argparse.ArgumentParser:
    default = Deployment()
    parser = argparse.ArgumentParser(prog="make cost ARGS=…", description="What a month costs, by list prices.")
    parser.add_argument("--feeds", help="the feeds, separated by commas, in the place of the setting FEEDS")
    parser.add_argument("--settings", type=Path, help="a local.settings.json with the app's settings")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting of the app")
    parser.add_argument("--plan", choices=("flex", "premium"), default=default.plan)
    parser.add_argument("--instance-memory", type=int, choices=(512, 2048, 4096), default=default.instance_memory)
    parser.add_argument("--throughput-units", type=int, default=default.throughput_units)
    parser.add_argument("--partitions", type=int, default=default.partitions, help="of each hub")
    parser.add_argument("--sql-pause-after", type=int, default=default.sql_pause_after, help="minutes; -1: never")
    parser.add_argument("--trades", type=float, default=default.trades, help="of all markets together, a second")
    for name in ("capture", "private", "cosmos", "data-factory"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--prices", type=Path, default=FILE, help="another price list")
    parser.add_argument("--document", action="store_true", help="write docs/deploy.md instead, for the defaults")
    return parser


def _deployment(arguments: argparse.Namespace) -> Deployment:
    return Deployment(**{name: getattr(arguments, name) for name in Deployment.__dataclass_fields__})


def _written(arguments: argparse.Namespace) -> Mapping[str, str]:
    """Give the settings of the file, those of the command line in their place."""
    file = json.loads(arguments.settings.read_text(encoding="utf-8"))["Values"] if arguments.settings else {}
    feeds = {"FEEDS": arguments.feeds} if arguments.feeds else {}
    return {**file, **feeds, **dict(one.partition("=")[::2] for one in arguments.set)}


if __name__ == "__main__":
    sys.exit(main())
