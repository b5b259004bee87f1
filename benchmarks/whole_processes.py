"""What a process costs from its start to its end, whatever it starts itself."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage


def cpu_of(words: Sequence[str | Path], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
    """Give the CPU seconds of a process; raises CalledProcessError where it fails. environment: None for our own."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(words, env=environment, cwd=cwd, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
