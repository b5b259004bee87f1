"""Run the exchange: `python -m emulators.exchange --port 20003 --admin-port 20004 --certificate server.pem`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emulators.exchange.config import ExchangeConfig
from emulators.exchange.instants import from_text
from emulators.exchange.server import running
from emulators.key_files import read_key
from emulators.service import run_service


def parse(arguments: Sequence[str] | None = None) -> ExchangeConfig:
    """Read the command line; wrong values end the process with a line that names the option."""
    parser = argparse.ArgumentParser(prog="python -m emulators.exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="websocket and REST; 0 takes a free one")
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--certificate", type=Path, help="PEM file with key and chain; plain without")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=20.0, help="trades a second and symbol, in the mean")
    parser.add_argument("--history-seconds", type=float, default=3_600.0, help="trades before the start")
    parser.add_argument("--recording", type=Path, help="recorded Coinbase frames instead of Coinbase's market")
    parser.add_argument("--recording-start", type=_moment, help="when the first match falls, 2026-11-22T10:00:00Z")
    parser.add_argument("--speed", type=float, default=1.0, help="what a recording's distances are divided by")
    parser.add_argument("--assets-count", type=int, default=2_000)
    parser.add_argument(
        "--assets-key-file", type=_key, dest="assets_key", help="file with the key of the assets; any key without"
    )
    try:
        return ExchangeConfig(**vars(parser.parse_args(arguments)))
    except ValueError as error:
        parser.error(str(error))


def _key(text: str) -> str:
    try:
        return read_key(Path(text))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _moment(text: str) -> int:
    try:
        return from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    run_service("exchange", running(parse()))
