"""The story of `make run`: start everything, let a few short windows happen, and prove the counts."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
from rich.console import Console

from emulators.processes.supervision import ServiceFailed
from local.clone import LAKEHOUSE_PYTHON, ROOT
from local.demo.display import LineTeller, Teller, print_proofs
from local.demo.hub_reader import key_columns, read_hub
from local.demo.polling import (
    Windows,
    ask_for_windows,
    first_windows,
    have_ended,
    play_recording,
    trades_that_happened,
    watch_until,
)
from local.demo.runs import RunProof, print_run_proofs, progress_line, prove_run, runs_have_ended
from local.demo.scenario import FEEDS, LENGTH, Script, write_script
from local.demo.verification import Record, Source, StreamProof, prove
from local.demo.volumes import VolumeProof, print_volumes, watch_volumes
from local.platform.banner import progress_printer
from local.platform.commands import choices_of
from local.platform.enrichment import lakehouse_is_installed
from local.platform.ports import PortTaken
from local.platform.running import Running
from local.platform.services import Choices
from local.platform.starting import running_platform
from local.platform.state import AlreadyRunning

_PATIENCE_SECONDS = 180.0
_RUN_SECONDS = 400.0
_MEASURE_SECONDS = 60.0

type Proofs = list[StreamProof | RunProof | VolumeProof]


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
    if not script.recording:
        console.print("Two more of trades come by HTTP: one too short, one long enough again.")
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
        windows = {**windows, **await ask_for_windows(app, script.later_windows(end))}
        windows = await watch_until(app, windows, _PATIENCE_SECONDS, teller.show, have_ended)
    console.print("The windows have ended. Reading the hubs back …")
    hubs = _Hubs(running)
    proofs = [await _prove(hubs, window, await _source(admin, script, window)) for window in windows.values() if window]
    print_proofs(console, proofs)
    if "databricks" in addresses:
        return [*proofs, *await _follow_runs(console, running, script, windows)]
    console.print("The lakehouse is not installed: `scripts/setup-lakehouse` (Java 17, Maven) lets the story go on.")
    return [*proofs]


async def _follow_runs(
    console: Console, running: Running, script: Script, windows: Windows
) -> list[RunProof | VolumeProof]:
    console.print("Waiting for the Databricks runs that follow the windows …")
    app = running.addresses["functions"]["http"]
    with LineTeller(console) as teller:
        windows = await watch_until(
            app, windows, _RUN_SECONDS, lambda seen: teller.say(progress_line(seen)), runs_have_ended
        )
    proofs = [prove_run(window) for window in windows.values() if window]
    print_run_proofs(console, proofs)
    console.print("Waiting for the measurements and their alerts …")
    volumes = await watch_volumes(running, windows, script.verdicts(), _MEASURE_SECONDS)
    print_volumes(console, volumes)
    return [*proofs, *volumes.proofs]


@dataclass(slots=True)
class _Hubs:
    """The hubs of the story, each read back once."""

    running: Running
    read: dict[str, list[Record]] = field(default_factory=dict)

    async def records(self, hub: str, contract: str) -> list[Record]:
        if hub not in self.read:
            columns = key_columns(ROOT / "contracts", contract)
            connection = self.running.event_hubs_settings("Receiver")
            self.read[hub] = await read_hub(connection, self.running.state.authority, hub, columns)
        return self.read[hub]


async def _prove(hubs: _Hubs, window: Mapping[str, Any], source: Source) -> StreamProof:
    (stream,) = window["plan"]["streams"]
    records = await hubs.records(stream["hub"], stream["contract"])
    ours = [record for record in records if record.attempt.startswith(f"{window['id']}/")]
    return prove(window, stream["name"], ours, source)


async def _source(admin: str, script: Script, window: Mapping[str, Any]) -> Source:
    if window["feed"] != "trades":
        return _planned(window)
    return await trades_that_happened(admin, script.markets, *_times(window))


def _planned(window: Mapping[str, Any]) -> Source:
    """A synthetic feed owes rate × length records."""
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
    console.print(
        f"[bold green]Nothing lost, nothing unexplained:[/] {total} records, counted at both ends.{balance}",
        soft_wrap=True,
    )
    console.out("`make up` keeps everything running to look around; the logs of this run are in .local/run/logs.")
    return 0


def _cancel_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - we run in one
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, task.cancel)
