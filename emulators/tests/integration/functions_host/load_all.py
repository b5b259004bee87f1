"""Loads each app under a folder in a process of its own, forked from one that has the worker library imported."""

import asyncio
import json
import os
import sys
from pathlib import Path

import azure.durable_functions
import azure.functions  # noqa: F401 - imported once, before the forks

from emulators.functions_host.app_worker import load_app
from emulators.functions_host.bindings import check_bindings
from emulators.functions_host.errors import AppRefused


def verdict(folder: Path) -> str:
    """Say why the app is refused, or nothing."""
    try:
        check_bindings(asyncio.run(load_app(folder)), ["timerTrigger"])
    except AppRefused as refusal:
        return str(refusal)
    return ""


def main(folders: Path) -> None:
    for folder in sorted(folders.iterdir()):
        child = os.fork()
        if child == 0:
            (folder / "verdict").write_text(verdict(folder))
            os._exit(0)
        os.waitpid(child, 0)
    verdicts = {folder.name: (folder / "verdict").read_text() for folder in folders.iterdir()}
    sys.stdout.write(json.dumps(verdicts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
