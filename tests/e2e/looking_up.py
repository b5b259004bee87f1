"""Six windows of trades one after the other, while the service of assets fails in one way after the other."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.enriching import Enrichment

MANY = 10_000


@dataclass(frozen=True)
class Looked:
    """One window, its run in the end, and the newest lookup before it."""

    window: str
    run: dict[str, Any]
    newest: str

    @property
    def own(self) -> str:
        return f"assets/{self.window}.parquet"


def tell_of_lookups(enrichment: Enrichment) -> dict[str, Looked]:
    """Let each window meet its faults; the order matters, since only the second has a lookup of its own."""
    return {
        "none": _looked(enrichment, "assets_empty"),
        "troubled": _looked(enrichment, "assets_down", "assets_half", "assets_not_json", times=1),
        "empty": _looked(enrichment, "assets_empty"),
        "wrong key": _looked(enrichment, "assets_refused"),
        "500": _looked(enrichment, "assets_down"),
        "garbled": _looked(enrichment, *["assets_half", "assets_not_json"] * 50, times=1),
    }


def _looked(enrichment: Enrichment, *kinds: str, times: int = MANY) -> Looked:
    newest = (enrichment.lookups() or [""])[-1]
    for kind in kinds:
        enrichment.app.fault("exchange", kind, count=times)
    window_id = enrichment.past("trades")
    run = enrichment.ended(window_id)
    enrichment.app.admin("exchange", "DELETE", "/faults")
    return Looked(window_id, run, newest)
