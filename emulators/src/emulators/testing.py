"""For tests and benchmarks: an emulator in a process of its own, for the length of a block."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STOP_SECONDS = 10


class EmulatorFailed(Exception):
    """An emulator ended before it listened."""


@contextmanager
def running_service(name: str, *arguments: object, log: Path | None = None) -> Iterator[dict[str, str]]:
    """Run `python -m emulators.<name>` with these arguments; yields the addresses it announced.

    Its standard error is added to `log`, or dropped. Raises EmulatorFailed where it ends at its start.
    """
    command = [sys.executable, "-m", f"emulators.{name}", *map(str, arguments)]
    with (
        (log or Path("/dev/null")).open("ab") as sink,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sink) as process,  # noqa: S603 - our own module
    ):
        try:
            yield _announced(process, name, log)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def _announced(process: subprocess.Popen[bytes], name: str, log: Path | None) -> dict[str, str]:
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        raise EmulatorFailed(f"{name} ended before it listened: see {log or 'its log, which was not kept'}.")
    addresses: dict[str, str] = json.loads(line)["addresses"]
    return addresses
