"""What a person sees of the platform: its start as it goes on, then where everything is."""

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.platform.running import Running

_SIGNED = "sig="


def progress_printer(console: Console) -> Callable[[str], None]:
    """Print each service as it gets ready, with the seconds since the start."""
    begun = time.monotonic()

    def show(service: str) -> None:
        console.print(f"[{time.monotonic() - begun:5.1f} s] {service} is ready", markup=False, highlight=False)

    return show


def print_banner(console: Console, running: Running, *, ending: str) -> None:
    """Print every address: a table on a terminal, else a plain line each."""
    rows = [
        (service, name, address)
        for service, addresses in sorted(running.addresses.items())
        for name, address in addresses.items()
        if name != "connection_string" and _SIGNED not in address
    ] + [("state", "", _short(running.state.folder)), ("logs", "", _short(running.state.logs))]
    if console.is_terminal:
        console.print(_table(rows))
    else:
        for service, name, address in rows:
            console.out(f"{service:<17} {name:<10} {address}", highlight=False)
    console.print(ending, highlight=False)


def _table(rows: list[tuple[str, str, str]]) -> Table:
    table = Table("service", "what", "address", title="Local platform", title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
