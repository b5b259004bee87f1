"""Cold start: the CPU time of `import function_app`, beside the same import with pandas-like weight and built pools."""

import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from benchmarks.interleaved import Row

ROUNDS = 7
BAR = 0.5
OURS = "import function_app"
PEER = "import function_app, pandas; from shared.feeds.payments.building import build; build(1)"


def rows() -> list[Row]:
    """Start an interpreter for each side in turn; the ratio is our CPU time over the peer's."""
    ratios = [_cpu(OURS) / _cpu(PEER) for _ in range(ROUNDS)]
    note = f"{min(ratios):.3f} to {max(ratios):.3f} in {ROUNDS} rounds, whole processes"
    return [
        Row("import function_app", "the same, importing pandas and building pools", median(ratios), BAR, True, note)
    ]


def _cpu(code: str) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
