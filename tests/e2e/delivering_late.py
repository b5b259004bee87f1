"""Windows on a host that delivers as late as an idle one in Azure: each hop over a queue waits up to 30 s."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.demo.verification import StreamCheck
from tests.e2e.running_app import SECOND, Grid, running_app

MARKETS = ("coinbase:BTC-USD", "binance:BTCUSDT")
_POLLING = 30
LEAD = 2 * _POLLING + 10
"""As the settings demand where they know of such a host."""

_SETTINGS = {
    "FEEDS": "trades,payments",
    "TRADES_SOURCES": ",".join(MARKETS),
    "TRADES_SLICE_LENGTH": "00:00:10",
    "TRADES_LEAD": f"00:01:{LEAD - 60:02}",
    "TRADES_GRACE": "00:00:02",
    "PAYMENTS_SLICE_LENGTH": "00:00:10",
    "PAYMENTS_RATE": "50",
}
# When each begins after it was asked for, and how long it is. A first slice's activity begins six hops after that: the
# window's start, its begin_window and the answer, its leg, the slice, the activity. They take from 60 to 150 s here; so
# of the window that is too late several slices begin at once, the first ones when they are over.
_WINDOWS = {
    "too late": ("trades", 20 * SECOND, 140 * SECOND),
    "in time": ("trades", 160 * SECOND, 20 * SECOND),
    "payments": ("payments", 160 * SECOND, 20 * SECOND),
}
_WITHIN = 360.0


@dataclass(frozen=True)
class LateDelivery:
    """Windows after their ends, and what their hubs hold of them, by the name of each."""

    windows: Mapping[str, Mapping[str, Any]]
    proofs: Mapping[str, StreamCheck]

    def lateness(self, name: str, of: str) -> list[float]:
        """Give by how many seconds each slice of a window was late, by the try that did it."""
        return [row["report"][of] for row in self.windows[name]["slices"] if row["state"] == "done"]


def tell_of_late_delivery(folder: Path) -> LateDelivery:
    """Run an app of its own, and ask it at once for a window that is too late, and for two that are in time."""
    settings = _SETTINGS | Grid.never().settings(("TRADES", "PAYMENTS"))
    arguments = {"exchange": ["--rate", "20"], "functions": ["--polling", str(_POLLING)]}
    with running_app(folder, Grid.never(), settings, markets=MARKETS, arguments=arguments) as app:
        now = datetime.now(UTC).replace(microsecond=0)
        answers = {name: app.post(feed, now + ahead, length) for name, (feed, ahead, length) in _WINDOWS.items()}
        ids = {name: answer.json()["windows"][0]["id"] for name, answer in answers.items()}
        windows = {name: app.ended(window_id, within=_WITHIN) for name, window_id in ids.items()}
        return LateDelivery(windows, {name: app.proofs(window)[0] for name, window in windows.items()})
