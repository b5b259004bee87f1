"""The last part of the demo: what the app measured of each window of a measured feed, and the mails it sent."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from rich.console import Console
from rich.panel import Panel

from local.demo.display import print_columns, print_problems
from local.demo.polling import Windows, get_json
from local.demo.scenario import Scenario
from local.platform.running import Running
from local.platform.services import FUNCTIONS, LOGIC_APP

_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class VolumeCheck:
    """One window's measurement as `GET /api/metrics` shows it, and what is wrong with it."""

    window: str
    measurement: Mapping[str, Any]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Volumes:
    """The measurements of the demo, and the mails that were sent: to, subject and text."""

    checks: Sequence[VolumeCheck]
    mails: Sequence[Mapping[str, str]]


async def watch_volumes(running: Running, windows: Windows, scenario: Scenario, deadline: float) -> Volumes:
    """Wait until each window that a table is measured for is measured, and each alert is sent.

    Raises TimeoutError after `deadline` seconds.
    """
    tables = {name: scenario.table_of(window) for name, window in windows.items() if window}
    measured = {name: table for name, table in tables.items() if table}
    keys = sorted({key for key, _ in measured.values()})
    app, admin = running.addresses[FUNCTIONS]["http"], running.addresses[LOGIC_APP]["admin"]
    async with asyncio.timeout(deadline), aiohttp.ClientSession() as session:
        found = await _settled(session, app, keys, len(measured))
        mails = (await get_json(session, f"{admin}/outbox"))["mails"]
    checks = []
    for name, (_, table) in measured.items():
        window = windows[name] or {}
        checks.append(check_volume(window, table, found[window["id"]], scenario.expected_verdict(name), mails))
    return Volumes(checks, mails)


def check_volume(
    window: Mapping[str, Any],
    table: str,
    measurement: Mapping[str, Any],
    expected: str | None,
    mails: Sequence[Mapping[str, str]],
) -> VolumeCheck:
    """Compare a measurement with the rows of the table that the lakehouse counted, the expected verdict, the mails."""
    counted = sum(rows.get("sql", {}).get(table, 0) for rows in window["enrichment"]["counts"].values())
    delta, verdict = measurement["rows_count_delta"], measurement["verdict"]
    mailed = any(window["id"] in mail["text"] for mail in mails)
    checks = {
        f"{delta} rows were measured, {counted} are counted in {table}": delta == counted,
        f"the volume is judged {verdict}, not {expected}": expected in (None, verdict),
        "its alert was sent, and no mail names the window": mailed or measurement["alert"] != "sent",
    }
    return VolumeCheck(window["id"], measurement, tuple(problem for problem, holds in checks.items() if not holds))


def print_volumes(console: Console, volumes: Volumes) -> None:
    """Print each measurement, and each mail as its reader would see it."""
    print_columns(console, "Measured", [(check.window, _numbers(check.measurement)) for check in volumes.checks])
    print_problems(console, [(check.window, check.problems) for check in volumes.checks])
    for mail in volumes.mails:
        text = f"To: {mail['to']}\nSubject: {mail['subject']}\n\n{mail['text'].strip()}"
        if console.is_terminal:
            console.print(Panel(text, title="A mail", title_align="left"))
        else:
            console.out("\n".join(["A mail:", *(f"  {line}".rstrip() for line in text.splitlines())]), highlight=False)


async def _settled(
    session: aiohttp.ClientSession, app: str, tables: Collection[str], wanted: int
) -> dict[str, Mapping[str, Any]]:
    while True:
        found = await _measurements(session, app, tables)
        if _is_whole(found, wanted):
            return found
        await asyncio.sleep(_EVERY_SECONDS)


def _is_whole(found: Mapping[str, Mapping[str, Any]], wanted: int) -> bool:
    return len(found) >= wanted and all(measurement["alert"] != "pending" for measurement in found.values())


async def _measurements(
    session: aiohttp.ClientSession, app: str, tables: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    answers = [await get_json(session, f"{app}/api/metrics?table={table}") for table in tables]
    return {measurement["window"]: measurement for answer in answers for measurement in answer["measurements"]}


def _numbers(measurement: Mapping[str, Any]) -> dict[str, str]:
    limits = measurement["limits"]
    return {
        "rows of the window": str(measurement["rows_count_delta"]),
        "rows in all": str(measurement["all_ingested_rows"]),
        "fewest rows that are enough": str(limits["floor"]),
        "verdict": measurement["verdict"],
        "alert": measurement["alert"],
    }
