"""The last part of the story: what the app measured of each window of trades, and the mails that came of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from rich.console import Console
from rich.panel import Panel

from local.demo.display import print_columns, print_faults
from local.demo.polling import Windows, get_json
from local.platform.running import Running
from local.platform.services import FUNCTIONS, LOGIC_APP

_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class VolumeProof:
    """One window's measurement as `GET /api/metrics` shows it, and what is wrong with it."""

    window: str
    measurement: Mapping[str, Any]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Volumes:
    """The measurements of the story, and the mails that were sent: to, subject and text."""

    proofs: Sequence[VolumeProof]
    mails: Sequence[Mapping[str, str]]


async def watch_volumes(running: Running, windows: Windows, verdicts: Mapping[str, str], deadline: float) -> Volumes:
    """Wait until each window of trades is measured and each alert is sent; TimeoutError after `deadline` seconds.

    verdicts: how the volume of a window is to be judged, by the window's name.
    """
    trades = {name: window for name, window in windows.items() if window and window["feed"] == "trades"}
    app, admin = running.addresses[FUNCTIONS]["http"], running.addresses[LOGIC_APP]["admin"]
    async with asyncio.timeout(deadline), aiohttp.ClientSession() as session:
        found = await _settled(session, app, len(trades))
        mails = (await get_json(session, f"{admin}/outbox"))["mails"]
    proofs = [prove_volume(window, found[window["id"]], verdicts.get(name), mails) for name, window in trades.items()]
    return Volumes(proofs, mails)


def prove_volume(
    window: Mapping[str, Any], measurement: Mapping[str, Any], expected: str | None, mails: Sequence[Mapping[str, str]]
) -> VolumeProof:
    """Hold a measurement against the rows that the lakehouse counted in SQL, the verdict to come, and the mails."""
    counted = window["enrichment"]["counts"]["trades"]["sql"]
    delta, verdict = measurement["rows_count_delta"], measurement["verdict"]
    told = any(window["id"] in mail["text"] for mail in mails)
    checks = {
        f"{delta} rows were measured, {counted} are counted in SQL": delta == counted,
        f"the volume is judged {verdict}, not {expected}": expected in (None, verdict),
        "its alert was sent, and no mail names the window": told or measurement["alert"] != "sent",
    }
    return VolumeProof(window["id"], measurement, tuple(fault for fault, holds in checks.items() if not holds))


def print_volumes(console: Console, volumes: Volumes) -> None:
    """Print each measurement, and each mail as its reader would see it."""
    print_columns(console, "Measured", {proof.window: _numbers(proof.measurement) for proof in volumes.proofs})
    print_faults(console, {proof.window: proof.faults for proof in volumes.proofs})
    for mail in volumes.mails:
        text = f"To: {mail['to']}\nSubject: {mail['subject']}\n\n{mail['text'].strip()}"
        if console.is_terminal:
            console.print(Panel(text, title="A mail", title_align="left"))
        else:
            console.out("\n".join(["A mail:", *(f"  {line}".rstrip() for line in text.splitlines())]), highlight=False)


async def _settled(session: aiohttp.ClientSession, app: str, wanted: int) -> dict[str, Mapping[str, Any]]:
    while True:
        found = await _measurements(session, app)
        if _is_whole(found, wanted):
            return found
        await asyncio.sleep(_EVERY_SECONDS)


def _is_whole(found: Mapping[str, Mapping[str, Any]], wanted: int) -> bool:
    return len(found) >= wanted and all(measurement["alert"] != "pending" for measurement in found.values())


async def _measurements(session: aiohttp.ClientSession, app: str) -> dict[str, Mapping[str, Any]]:
    listed = (await get_json(session, f"{app}/api/metrics?table=trades"))["measurements"]
    return {measurement["window"]: measurement for measurement in listed}


def _numbers(measurement: Mapping[str, Any]) -> dict[str, str]:
    limits = measurement["limits"]
    return {
        "rows of the window": str(measurement["rows_count_delta"]),
        "rows in all": str(measurement["all_ingested_rows"]),
        "fewest rows of a right volume": str(limits["floor"]),
        "verdict": measurement["verdict"],
        "alert": measurement["alert"],
    }
