"""A container or a queue of a storage account, and the one way of reaching and calling it."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Final

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from shared.clients.failures import call
from shared.clients.retrying import RetryPolicy, connect_seconds
from shared.clients.storage.answers import BY_CODE

type Verb[Client, Answer] = Callable[[Client, dict[str, Any]], Answer]
"""What is asked of a client, given the options by which a call is held to its time."""


class Resource[Client]:
    """One container or queue; nothing is dialled before the first call. For any number of threads."""

    def __init__(
        self,
        place: str,
        connect: Callable[[], Client],
        create: Verb[Client, object],
        who: str,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Keep the way to it and how it is made; `place` and `who` asks are for messages."""
        self.place: Final = place
        self.retry: Final = retry or RetryPolicy()
        self._connect = connect
        self._create = create
        self._who = who
        self._made: Client | None = None
        self._lock = threading.Lock()

    def call[Answer](self, verb: Verb[Client, Answer], *keep: type[AzureError]) -> Answer:
        """Ask until the policy's time is up; of the SDK's errors only `keep` comes through as it is.

        Raises Unavailable or LoginRefused.
        """
        return self.retry.call(lambda seconds: self.call_once(verb, seconds, *keep))

    def call_once[Answer](self, verb: Verb[Client, Answer], seconds: float, *keep: type[AzureError]) -> Answer:
        """Ask once, for so many seconds at the most; raises TransientError too."""
        return call(
            lambda: verb(self._reach(), _limits(seconds)),
            place=self.place,
            client=self._who,
            keep=keep,
            words=BY_CODE,
        )

    def call_or_make[Answer](self, verb: Verb[Client, Answer], *keep: type[AzureError]) -> Answer:
        """Ask as `call` does; a second time where the container or queue had to be made first."""
        try:
            return self.call(verb, ResourceNotFoundError, *keep)
        except ResourceNotFoundError:
            self.make()
            return self.call(verb, *keep)

    def make(self) -> None:
        """Make it where it is not there."""
        with contextlib.suppress(ResourceExistsError):
            self.call(self._create, ResourceExistsError)

    def _reach(self) -> Client:
        with self._lock:
            if self._made is None:
                self._made = self._connect()
            return self._made


def _limits(seconds: float) -> dict[str, Any]:
    return {"connection_timeout": connect_seconds(seconds), "read_timeout": seconds}
