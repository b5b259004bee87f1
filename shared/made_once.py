"""A property that is made when it is first asked for, once whatever number of threads ask, and replaceable by name."""

from collections.abc import Callable
from typing import Any


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

    def __get__(self, keeper: Any, owner: type | None = None) -> Made:  # noqa: ANN401 - has a `lock`, and `made` by name
        """Give the one that is kept, or make it."""
        with keeper.lock:
            if self._name not in keeper.made:
                keeper.made[self._name] = self._make(keeper)
        made: Made = keeper.made[self._name]
        return made
