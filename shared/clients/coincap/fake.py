"""Stands in for the service of assets in tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.errors import Unavailable


@dataclass(slots=True)
class FakeAssets:
    """Gives these documents; then, or at once where there are none, raises `failure` where it is set.

    Where there is neither document nor failure the service has no assets at all.
    """

    documents: Sequence[bytes] = ()
    failure: Exception | None = None
    asked: list[float] = field(default_factory=list)

    def pages(self, within: float) -> Iterator[bytes]:
        """Give them one by one."""
        self.asked.append(within)
        yield from self.documents
        if self.failure is not None:
            raise self.failure
        if not self.documents:
            raise Unavailable("The service of assets has no assets at all.")
