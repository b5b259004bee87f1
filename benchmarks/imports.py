"""Cold start: the CPU time of `import function_app`, beside heavier imports, and what sending telemetry adds to it."""

import sys
from statistics import median

from benchmarks.interleaved import Row
from benchmarks.whole_processes import cpu_of

ROUNDS = 7
BAR = 0.5
TELEMETRY_BAR = 1.15
OURS = "import function_app"
PEER = "import function_app, pandas; from shared.feeds.payments.building import build; build(1)"
TELLING = """
import function_app
from datetime import timedelta
from shared.clients.application_insights.exporting import InsightsAccount, start_exporting
connection = "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://127.0.0.1:1/"
start_exporting(InsightsAccount(connection, None, "app", timedelta(minutes=1)), {}).end()
"""


def rows() -> list[Row]:
    """Start an interpreter for each side in turn; a ratio is of CPU times."""
    without = _ratios(OURS, PEER)
    telling = _ratios(TELLING, OURS)
    return [
        Row(
            "import function_app",
            "the same, importing pandas and building pools",
            median(without),
            BAR,
            True,
            _note(without),
        ),
        Row(
            "import function_app, telling",
            "the same without telemetry",
            median(telling),
            TELEMETRY_BAR,
            True,
            _note(telling),
        ),
    ]


def _ratios(ours: str, peer: str) -> list[float]:
    return [_cpu(ours) / _cpu(peer) for _ in range(ROUNDS)]


def _note(ratios: list[float]) -> str:
    return f"{min(ratios):.3f} to {max(ratios):.3f} in {ROUNDS} rounds, whole processes"


def _cpu(code: str) -> float:
    return cpu_of([sys.executable, "-c", code])
