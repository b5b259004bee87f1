"""The service of assets (CoinCap v3): all its pages, each as the raw document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.clients.persistence import RetryPolicy
from shared.clients.rest import Call, JsonService
from shared.clients.retrying import Backoff, Timeouts
from shared.errors import Unavailable
from shared.feeds.assets import count

PAGE: Final = 2000
"""The most assets that CoinCap gives at a time."""

_PATIENCE: Final = Timeouts(total=60.0, attempt=10.0, ordinary=Backoff(0.3, 2.0), busy=Backoff(1.0, 5.0))


class Assets(Protocol):
    """Where assets come from."""

    def pages(self, within: float) -> Iterator[bytes]:
        """Give the documents of all pages, `{"data": [...]}` each, within so many seconds from the first on.

        Raises Unavailable, at the first page or a later one, where the service does not give all of its assets: what
        was read until then is not the whole.
        """


class CoinCapAssets:
    """Assets by REST with an API key; `url` is the API's root, such as `https://rest.coincap.io/v3`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        ca_bundle: str | None = None,
        persistence: RetryPolicy | None = None,
        page: int = PAGE,
    ) -> None:
        """Keep URL and key; nothing is dialled yet."""
        self._service = JsonService("The service of assets", url, ca_bundle, persistence or RetryPolicy(_PATIENCE))
        self._key = key
        self._page = page

    def pages(self, within: float) -> Iterator[bytes]:
        """Ask page by page until one is not full; one that comes short, garbled or late is asked for again."""
        clock = self._service.persistence.tempo.clock
        end, offset, came = clock() + within, 0, self._page
        while came == self._page:
            left = end - clock()
            if left <= 0:
                raise Unavailable(f"The service of assets gave {offset} assets within {within:g} s and was not done.")
            body, came = self._one(offset, left)
            yield body
            offset += came
        if not offset:
            raise Unavailable("The service of assets has no assets at all.")

    def _one(self, offset: int, within: float) -> tuple[bytes, int]:
        call = Call("GET", "/assets", {"limit": self._page, "offset": offset})
        return self._service.answer(call, lambda: self._key, lambda body: (body, count(body)), within=within)


@dataclass(slots=True)
class FakeAssets:
    """Gives these documents; then, or at once where there are none, raises `failure` where it is set."""

    documents: Sequence[bytes] = ()
    failure: Exception | None = None
    asked: list[float] = field(default_factory=list)

    def pages(self, within: float) -> Iterator[bytes]:
        """Give them one by one."""
        self.asked.append(within)
        yield from self.documents
        if self.failure is not None:
            raise self.failure
