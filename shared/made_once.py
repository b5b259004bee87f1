"""Collaborators that are made at first use and kept: what the composition root is written with."""

import threading
from collections.abc import Callable
from typing import Any, Protocol


class Owner(Protocol):
    """What has such properties: where they are kept, and the lock under which they are made."""

    lock: threading.RLock
    made: dict[str, Any]


class made_once[Made]:  # noqa: N801 - used as a decorator
    """A property that is made at first use, by one thread only, and kept until `replace` puts another in its place.

    `functools.cached_property` takes no lock since Python 3.12: two slices could build two of each client.
    """

    def __init__(self, make: Callable[[Any], Made]) -> None:
        """Keep the maker."""
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the name of the property."""
        self._name = name

    def __get__(self, services: Owner, owner: type | None = None) -> Made:
        """Give the one that is kept, or make it."""
        with services.lock:
            if self._name not in services.made:
                services.made[self._name] = self._make(services)
        made: Made = services.made[self._name]
        return made
