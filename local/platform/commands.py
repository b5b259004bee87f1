"""The commands that start a platform and keep it until SIGINT or SIGTERM."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from rich.console import Console

from emulators.processes.supervision import ServiceFailed
from emulators.storage.account import DEVELOPMENT_STORAGE, STANDARD_PORTS
from local.clone import LAKEHOUSE_PYTHON, SAMPLE, SETTINGS, STATES
from local.platform.banner import print_banner, progress_printer
from local.platform.enrichment import lakehouse_is_installed
from local.platform.listening import settings_of_app
from local.platform.ports import Ports, PortTaken
from local.platform.running import Running
from local.platform.services import FUNCTIONS, Choices
from local.platform.settings_file import SettingsFileUnusable, merge_settings
from local.platform.starting import running_platform
from local.platform.state import AlreadyRunning

_REFUSALS = (PortTaken, AlreadyRunning, ServiceFailed, SettingsFileUnusable)


def up(arguments: argparse.Namespace) -> int:
    """Run everything until Ctrl-C; 0 after a clean end, 1 where something failed."""
    return _run(arguments, with_functions=True)


def platform(arguments: argparse.Namespace) -> int:
    """Run all but the Functions host until Ctrl-C, with `local.settings.json` pointed at it for `func start`."""
    return _run(arguments, with_functions=False)


def choices_of(arguments: argparse.Namespace, *, with_functions: bool) -> Choices:
    """Turn the options of a start into choices; FileNotFoundError where the recording is not there."""
    return Choices(
        ports=Ports.free() if arguments.free_ports else Ports(),
        hubs=arguments.hubs,
        with_functions=with_functions,
        with_enrichment=lakehouse_is_installed(LAKEHOUSE_PYTHON),
        with_cosmos=True,
        with_telemetry=True,
        settings_file=SETTINGS if SETTINGS.exists() else SAMPLE,
        arguments=_service_arguments(arguments.recording, arguments.polling),
    )


def _service_arguments(recording: Path | None, polling: float | None) -> dict[str, tuple[str, ...]]:
    chosen = {
        "exchange": recording and ("--recording", str(recording.resolve(strict=True))),
        FUNCTIONS: polling and ("--polling", str(polling)),
    }
    return {service: arguments for service, arguments in chosen.items() if arguments}


def _run(arguments: argparse.Namespace, *, with_functions: bool) -> int:
    try:
        asyncio.run(_keep_running(arguments, with_functions=with_functions))
    except (*_REFUSALS, FileNotFoundError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    except asyncio.CancelledError:
        return 0
    return 0


async def _keep_running(arguments: argparse.Namespace, *, with_functions: bool) -> None:
    _cancel_on_signals()
    console = Console()
    choices = choices_of(arguments, with_functions=with_functions)
    folder = STATES / arguments.name
    console.print("Starting the local platform …")
    async with running_platform(folder, choices, clear=arguments.clear, progress=progress_printer(console)) as started:
        ending = "Ctrl-C ends it." if with_functions else _point_settings_at(started.running, choices)
        print_banner(console, started.running, ending=ending)
        raise await started.failure()


def _point_settings_at(running: Running, choices: Choices) -> str:
    changed = merge_settings(SETTINGS, SAMPLE, settings_for_core_tools(running, choices))
    return f"{SETTINGS.name}: {len(changed)} values set. Now run `func start` beside this; Ctrl-C ends the platform."


def settings_for_core_tools(running: Running, choices: Choices) -> dict[str, str]:
    """Write the app settings, with the short form of the storage connection where the ports are the standard ones."""
    settings = settings_of_app(running, choices)
    standard = {service: f"http://127.0.0.1:{port}" for service, port in STANDARD_PORTS.items()}
    if standard.items() <= running.addresses["storage"].items():
        return settings | {"AzureWebJobsStorage": DEVELOPMENT_STORAGE}
    return settings


def _cancel_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - we run in one
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, task.cancel)
