"""Series out of the rows of metrics: one a name, dimensions and instance."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

MOST_POINTS: Final = 240


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one series, the oldest first: the sum of an interval, or the mean where it has several."""

    name: str
    dimensions: Mapping[str, str]
    instance: str
    times: Sequence[datetime]
    values: Sequence[float]

    @property
    def last(self) -> float:
        """Give the newest value."""
        return self.values[-1]


def series_of(rows: Iterable[Mapping[str, Any]]) -> list[Series]:
    """Gather series, by name and dimensions; of each the newest points."""
    found: dict[tuple[str, tuple[tuple[str, str], ...], str], list[tuple[datetime, float]]] = defaultdict(list)
    for row in rows:
        key = (row["Name"], tuple(sorted(row["Properties"].items())), row.get("AppRoleInstance", ""))
        found[key].append((datetime.fromisoformat(row["TimeGenerated"]), row["Sum"] / row["ItemCount"]))
    return [_series(key, sorted(points)[-MOST_POINTS:]) for key, points in sorted(found.items())]


def _series(key: tuple[str, tuple[tuple[str, str], ...], str], points: Sequence[tuple[datetime, float]]) -> Series:
    name, dimensions, instance = key
    return Series(name, dict(dimensions), instance, [at for at, _ in points], [value for _, value in points])
