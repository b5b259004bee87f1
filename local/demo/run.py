"""The demo of `make run`: start everything, let a few short windows happen, and check the counts."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
from rich.console import Console

from emulators.processes.supervision import ServiceFailed
from local.clone import LAKEHOUSE_PYTHON, SAMPLE, STATES
from local.demo.counting import Destinations, check_window, times
from local.demo.display import LineDisplay, WindowsDisplay, print_stream_checks
from local.demo.figures import print_figures, read_figures
from local.demo.hub_reader import hubs_of
from local.demo.outage import LOST_FOR, NotDrained, beside, drained, lose_hub
from local.demo.polling import (
    Windows,
    first_windows,
    have_ended,
    play_recording,
    request_windows,
    watch_until,
)
from local.demo.promotions import PromotionCheck, follow_promotions, print_promotions
from local.demo.runs import RunCheck, check_run, print_run_checks, progress_line, runs_have_ended
from local.demo.scenario import COMPARED, LENGTH, SHORT_LENGTH, Scenario, make_scenario
from local.demo.sinks import print_equal, print_sinks
from local.demo.telemetry import print_telemetry, read_counts
from local.demo.verification import StreamCheck
from local.demo.volumes import VolumeCheck, print_volumes, watch_volumes
from local.platform.banner import progress_printer
from local.platform.commands import choices_of
from local.platform.enrichment import lakehouse_is_installed
from local.platform.ports import PortTaken
from local.platform.running import Running
from local.platform.services import NOTIFICATION_HUBS, Choices
from local.platform.settings_file import SettingsFileUnusable, read_settings
from local.platform.starting import running_platform
from local.platform.state import AlreadyRunning

_WINDOW_SECONDS = 180.0
_DRAIN_SECONDS = 240.0
_RUN_SECONDS = 400.0
_MEASURE_SECONDS = 60.0
_PHONE_SECONDS = 60.0
_REFUSALS = (PortTaken, AlreadyRunning, ServiceFailed, SettingsFileUnusable, FileNotFoundError, ValueError)

type Checks = list[StreamCheck | PromotionCheck | RunCheck | VolumeCheck]


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 0 only where nothing is lost or unexplained."""
    console = Console()
    try:
        checks = asyncio.run(_run(console, arguments))
    except TimeoutError:
        sys.stderr.write(f"The windows did not end in time: see .local/{arguments.name}/logs.\n")
        return 1
    except (*_REFUSALS, NotDrained, aiohttp.ClientError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except asyncio.CancelledError:
        return 130
    return _conclude(console, checks, f".local/{arguments.name}/logs")


async def _run(console: Console, arguments: argparse.Namespace) -> Checks:
    _cancel_on_signals()
    scenario = make_scenario(read_settings(SAMPLE)["Values"], arguments.recording, arguments.feed)
    choices = _adjusted(choices_of(arguments, with_functions=True), scenario)
    _announce(console, scenario)
    async with running_platform(
        STATES / arguments.name, choices, clear=True, progress=progress_printer(console)
    ) as platform:
        checking = asyncio.create_task(_follow_and_check(console, platform.running, scenario, choices))
        failing = asyncio.create_task(platform.failure())
        done, _ = await asyncio.wait({checking, failing}, return_when=asyncio.FIRST_COMPLETED)
        failing.cancel()
        if checking not in done:
            checking.cancel()
            raise failing.result()
        checks = checking.result()
        print_telemetry(console, await read_counts(platform.running))
        return checks


def _announce(console: Console, scenario: Scenario) -> None:
    """Say what will be seen."""
    lines = [f"The timer will open a window of {LENGTH.seconds} s for each of {', '.join(scenario.feeds)}."]
    lines += [
        f"That of {feed} takes {SHORT_LENGTH.seconds} s, too short for an alert not to be sent; one that is long enough"
        " follows by HTTP."
        for feed in sorted(scenario.short_feeds)
    ]
    if scenario.outage_feed:
        lines.append(
            f"The hub of {scenario.outage_feed} will be away for {LOST_FOR.seconds} s in the middle of its window."
        )
    if scenario.promotes:
        lines.append("Phones that come near a store get its promotion within seconds.")
    for line in [*lines, "Starting the local platform …"]:
        console.print(line, soft_wrap=True)


def _adjusted(choices: Choices, scenario: Scenario) -> Choices:
    return replace(
        choices,
        settings={"FEEDS": ",".join(scenario.feeds)},
        with_cosmos=COMPARED in scenario.feeds,
        arguments={"exchange": scenario.exchange_arguments()},
        settings_at_start=lambda: scenario.app_settings(datetime.now(UTC)),
        with_enrichment=lakehouse_is_installed(LAKEHOUSE_PYTHON),
    )


async def _follow_and_check(console: Console, running: Running, scenario: Scenario, choices: Choices) -> Checks:
    windows = await _ended_windows(console, running, scenario)
    if scenario.outage_feed:
        console.print("The windows have ended. Waiting until what was spilled is redriven …")
        with LineDisplay(console) as display:
            await drained(running.addresses["functions"]["http"], windows, _DRAIN_SECONDS, display.show)
    console.print("Reading the hubs back …")
    destinations, away = Destinations(running), windows.get(scenario.outage_feed or "")
    lost = away["id"] if away else None
    checks: list[StreamCheck | PromotionCheck] = [
        check for window in windows.values() if window for check in await check_window(destinations, window, lost)
    ]
    print_stream_checks(console, [check for check in checks if isinstance(check, StreamCheck)])
    _each(windows, partial(print_sinks, console))
    if scenario.promotes:
        checks.append(await _follow_promotions(console, running, choices))
    if "databricks" in running.addresses:
        return [*checks, *await _follow_runs(console, running, scenario, windows)]
    console.print(
        "The lakehouse is not installed: with `make lakehouse` (Java 17, Maven) the windows are enriched too."
    )
    return [*checks]


async def _ended_windows(console: Console, running: Running, scenario: Scenario) -> Windows:
    """Wait for the first window of each feed, ask for the later ones, and wait until all have ended."""
    app = running.addresses["functions"]["http"]
    with WindowsDisplay(console) as display:
        windows = await first_windows(app, scenario.feeds, _WINDOW_SECONDS, display.show)
        following = [window for feed, window in windows.items() if window and feed in scenario.exchange_feeds]
        if scenario.recording and following:
            start = min(times(window)[0] for window in following)
            await play_recording(running.addresses["exchange"]["admin"], start)
        later = [request for first in windows.values() if first for request in scenario.later_windows(first)]
        windows = {**windows, **await request_windows(app, later)}
        async with _outage(running, scenario, windows):
            return await watch_until(app, windows, _WINDOW_SECONDS, display.show, have_ended)


@asynccontextmanager
async def _outage(running: Running, scenario: Scenario, windows: Windows) -> AsyncIterator[None]:
    """Lose the hub of the scenario's feed beside a block; what fails there fails at the block's end."""
    window = windows.get(scenario.outage_feed or "")
    if window is None:
        yield
        return
    hub = hubs_of(window["plan"]["streams"][0])[0]
    async with beside(lose_hub(running.addresses["event_hubs"]["admin"], hub, times(window)[0])):
        yield


async def _follow_promotions(console: Console, running: Running, choices: Choices) -> PromotionCheck:
    console.print("Waiting until the phones show what the hub of promotions holds …")
    check = await follow_promotions(running, choices.promotion_hubs[1], _PHONE_SECONDS)
    print_promotions(console, check, running.addresses[NOTIFICATION_HUBS]["inboxes"])
    return check


async def _follow_runs(
    console: Console, running: Running, scenario: Scenario, windows: Windows
) -> list[RunCheck | VolumeCheck]:
    console.print("Waiting for the Databricks runs that follow the windows …")
    app = running.addresses["functions"]["http"]
    with LineDisplay(console) as display:
        windows = await watch_until(
            app, windows, _RUN_SECONDS, lambda seen: display.show(progress_line(seen)), runs_have_ended
        )
    checks = [check_run(window) for window in windows.values() if window]
    print_run_checks(console, checks)
    _each(windows, partial(print_equal, console))
    print_figures(console, await asyncio.to_thread(read_figures, running.state.sql))
    console.print("Waiting for the measurements and their alerts …")
    volumes = await watch_volumes(running, windows, scenario, _MEASURE_SECONDS)
    print_volumes(console, volumes)
    return [*checks, *volumes.checks]


def _each(windows: Windows, show: Callable[[Mapping[str, Any]], None]) -> None:
    for window in windows.values():
        if window:
            show(window)


def _conclude(console: Console, checks: Checks, logs: str) -> int:
    if any(check.problems for check in checks):
        console.print(f"[bold red]The counts do not agree.[/] The logs are in {logs}.")
        return 1
    total = sum(check.distinct for check in checks if isinstance(check, StreamCheck))
    runs = [check.verdict for check in checks if isinstance(check, RunCheck)]
    balance = f" Their tables are {runs[0]}." if runs else ""
    console.print(
        f"[bold green]Nothing lost, nothing unexplained:[/] {total} records, counted at both ends.{balance}",
        soft_wrap=True,
    )
    console.out(f"`make up` keeps everything running to look around; the logs of this run are in {logs}.")
    return 0


def _cancel_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - we run in one
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, task.cancel)
