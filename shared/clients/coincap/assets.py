"""The service of assets (CoinCap v3): all its pages, each as the raw document."""

from collections.abc import Iterator
from typing import Final, Protocol

from shared.clients.rest import Call, JsonService
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.errors import Unavailable
from shared.feeds.assets import count

PAGE: Final = 2000
"""The most assets that CoinCap gives at a time."""

_TIMEOUTS: Final = Timeouts(total=60.0, attempt=10.0, ordinary=Backoff(0.3, 2.0), throttled=Backoff(1.0, 5.0))


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
        retry: RetryPolicy | None = None,
        page: int = PAGE,
    ) -> None:
        """Keep URL and key; nothing is dialled yet."""
        self._service = JsonService("The service of assets", url, ca_bundle, retry or RetryPolicy(_TIMEOUTS))
        self._key = key
        self._page = page

    def pages(self, within: float) -> Iterator[bytes]:
        """Ask page by page until one is not full; one that comes short, garbled or late is asked for again."""
        clock = self._service.retry.clock.now
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
