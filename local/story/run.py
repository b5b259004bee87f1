"""The story of `make run`: start everything, let one short window of each feed happen, and prove the counts."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
from rich.console import Console

from local.platform.banner import progress_printer
from local.platform.commands import choices_of
from local.platform.enrichment import lakehouse_is_installed
from local.platform.ports import PortTaken
from local.platform.running import Running
from local.platform.services import LAKEHOUSE_PYTHON, Choices
from local.platform.starting import running_platform
from local.platform.state import AlreadyRunning
from local.platform.supervision import ROOT, ServiceFailed
from local.story.enrichment import RunProof, print_run_proofs, progress_line, prove_run, runs_have_ended
from local.story.proof import Source, StreamProof, prove
from local.story.reading import key_columns, read_hub
from local.story.script import FEEDS, LENGTH, Script, write_script
from local.story.telling import LineTeller, Teller, print_proofs
from local.story.watching import (
    Windows,
    first_windows,
    have_ended,
    play_recording,
    trades_that_happened,
    watch_until,
)

_PATIENCE_SECONDS = 180.0
_RUN_SECONDS = 400.0

type Proofs = list[StreamProof | RunProof]


def run(arguments: argparse.Namespace) -> int:
    """Tell the story; 0 only where nothing is lost or unexplained."""
    console = Console()
    try:
        proofs = asyncio.run(_tell(console, arguments))
    except TimeoutError:
        sys.stderr.write("The windows did not end in time: see .local/run/logs.\n")
        return 1
    except (PortTaken, AlreadyRunning, ServiceFailed, FileNotFoundError, ValueError, aiohttp.ClientError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except asyncio.CancelledError:
        return 130
    return _verdict(console, proofs)


async def _tell(console: Console, arguments: argparse.Namespace) -> Proofs:
    _cancel_on_signals()
    choices = choices_of(arguments, with_functions=True)
    script = write_script(arguments.recording)
    console.print(f"The story: the timer opens a window of {LENGTH.seconds} s for each of {', '.join(FEEDS)}.")
    console.print("Starting the local platform …")
    folder = ROOT / ".local" / arguments.name
    async with running_platform(
        folder, _directed(choices, script), clear=True, progress=progress_printer(console)
    ) as platform:
        telling = asyncio.create_task(_follow_and_prove(console, platform.running, script))
        failing = asyncio.create_task(platform.failure())
        done, _ = await asyncio.wait({telling, failing}, return_when=asyncio.FIRST_COMPLETED)
        failing.cancel()
        if telling not in done:
            telling.cancel()
            raise failing.result()
        return telling.result()


def _directed(choices: Choices, script: Script) -> Choices:
    return replace(
        choices,
        arguments={"exchange": script.exchange_arguments()},
        settings_at_start=lambda: script.app_settings(datetime.now(UTC)),
        with_enrichment=lakehouse_is_installed(LAKEHOUSE_PYTHON),
    )


async def _follow_and_prove(console: Console, running: Running, script: Script) -> Proofs:
    addresses = running.addresses
    app, admin = addresses["functions"]["http"], addresses["exchange"]["admin"]
    with Teller(console) as teller:
        windows = await first_windows(app, FEEDS, _PATIENCE_SECONDS, teller.show)
        start, end = _times(windows["trades"])
        if script.recording:
            await play_recording(admin, start)
        windows = await watch_until(app, windows, _PATIENCE_SECONDS, teller.show, have_ended)
    console.print("Both windows have ended. Reading the hubs back …")
    trades = await trades_that_happened(admin, script.markets, start, end)
    sources = {"trades": trades, "payments": _planned(windows["payments"])}
    proofs = [await _prove(running, windows[feed], source) for feed, source in sources.items()]
    print_proofs(console, proofs)
    if "databricks" in addresses:
        return [*proofs, *await _follow_runs(console, app, windows)]
    console.print("The lakehouse is not installed: `scripts/setup-lakehouse` (Java 17, Maven) lets the story go on.")
    return [*proofs]


async def _follow_runs(console: Console, app: str, windows: Windows) -> list[RunProof]:
    console.print("Waiting for the Databricks runs that follow the windows …")
    with LineTeller(console) as teller:
        windows = await watch_until(
            app, windows, _RUN_SECONDS, lambda seen: teller.say(progress_line(seen)), runs_have_ended
        )
    proofs = [prove_run(window) for window in windows.values() if window]
    print_run_proofs(console, proofs)
    return proofs


async def _prove(running: Running, window: Mapping[str, Any] | None, source: Source) -> StreamProof:
    assert window is not None  # noqa: S101 - it has ended
    (stream,) = window["plan"]["streams"]
    columns = key_columns(ROOT / "contracts", stream["contract"])
    connection = running.event_hubs_settings("Receiver")
    records = await read_hub(connection, running.state.authority, stream["hub"], columns)
    ours = [record for record in records if record.attempt.startswith(f"{window['id']}/")]
    return prove(window, stream["name"], ours, source)


def _planned(window: Mapping[str, Any] | None) -> Source:
    """A synthetic feed owes rate × length records."""
    assert window is not None  # noqa: S101 - it has ended
    start, end = _times(window)
    return Source(int((end - start).total_seconds() * window["plan"]["rate"] + 1e-6))


def _times(window: Mapping[str, Any] | None) -> tuple[datetime, datetime]:
    assert window is not None  # noqa: S101 - it is claimed
    return datetime.fromisoformat(window["start"]), datetime.fromisoformat(window["end"])


def _verdict(console: Console, proofs: Proofs) -> int:
    if any(proof.faults for proof in proofs):
        console.print("[bold red]The counts do not agree.[/] The logs are in .local/run/logs.")
        return 1
    total = sum(proof.distinct for proof in proofs if isinstance(proof, StreamProof))
    runs = [proof.verdict for proof in proofs if isinstance(proof, RunProof)]
    balance = f" Their tables are {runs[0]}." if runs else ""
    console.print(f"[bold green]Nothing lost, nothing unexplained:[/] {total} records, counted at both ends.{balance}")
    console.out("`make up` keeps everything running to look around; the logs of this run are in .local/run/logs.")
    return 0


def _cancel_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - we run in one
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, task.cancel)
