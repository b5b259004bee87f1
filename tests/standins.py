"""Stand-ins of the local platform in processes of their own, as `python -m local` runs them."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def standin(name: str, *arguments: object, log: Path | None = None) -> Iterator[dict[str, str]]:
    """Run `python -m emulators.<name>` for the length of a block; yields the addresses it announced."""
    command = [sys.executable, "-m", f"emulators.{name}", *map(str, arguments)]
    with (log or Path("/dev/null")).open("ab") as words:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=words)
        try:
            line = process.stdout.readline()
            assert line, f"{name} ended before it was ready: see its log"
            yield json.loads(line)["addresses"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.close()
            process.wait(10)
