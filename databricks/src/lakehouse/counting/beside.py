"""How a stream's records in Cosmos DB compare with those that came through its hub, by window."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

COSMOS = "cosmos"
"""The stage of `window_counts` that says so."""

IN_SPILL = "in_spill"
"""Under this name of the stage: records that wait in the spill of Cosmos DB."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows of a window in silver and in Cosmos DB, by their key.

    different: of those in both, the rows with other values. quarantined: items that break the contract.
    """

    both: int = 0
    only_in_hub: int = 0
    only_in_cosmos: int = 0
    different: int = 0
    quarantined: int = 0

    @property
    def apart(self) -> int:
        """Count what is not the same on both sides."""
        return self.only_in_hub + self.only_in_cosmos + self.different + self.quarantined

    def verdict(self, waiting: int) -> str:
        """Give `equal`; `waiting` where no more is missing in Cosmos DB than waits in its spill; else `apart`."""
        if not self.apart:
            return "equal"
        return "waiting" if self.apart == self.only_in_hub <= waiting else "apart"

    def as_rows(self, waiting: int | None) -> Iterator[tuple[str, str, int]]:
        """Write it as rows of `window_counts`. waiting: records in Cosmos DB's spill; None while the window is open."""
        yield from ((COSMOS, name, rows) for name, rows in asdict(self).items())
        if waiting is not None:
            yield COSMOS, IN_SPILL, waiting
            yield COSMOS, self.verdict(waiting), self.apart
