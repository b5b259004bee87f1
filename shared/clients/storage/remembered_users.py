"""Users of promotions whom this process has met: most points change nothing of theirs, and then no table is asked."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shared.clients.storage.promotion_users import PromotionUser, PromotionUsers

MOST: Final = 20_000
"""So many users are remembered, about 1 KB each; then those who were not met for longest are forgotten."""


@dataclass(slots=True)
class RememberedUsers:
    """Changes users for any number of threads, and asks the table only where what is remembered would change.

    Others may have given a user more since then. What `change` makes of a user must therefore hold for one who got
    more, where it makes nothing of it: so does what cap and cool-down forbid, which more can't allow.
    """

    users: PromotionUsers
    most: int = MOST
    _known: OrderedDict[str, PromotionUser] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def change(self, appid: str, change: Callable[[PromotionUser], PromotionUser]) -> None:
        """Put what `change` makes of a user in its place; it may be asked several times, and the last time counts.

        Raises what `PromotionUsers.change` does.
        """
        known = self._met(appid)
        if known is not None and change(known) == known:
            return
        made = PromotionUser()

        def noted(user: PromotionUser) -> PromotionUser:
            nonlocal made
            made = change(user)
            return made

        self.users.change(appid, noted)
        self._remember(appid, made)

    def _met(self, appid: str) -> PromotionUser | None:
        with self._lock:
            if appid in self._known:
                self._known.move_to_end(appid)
            return self._known.get(appid)

    def _remember(self, appid: str, user: PromotionUser) -> None:
        with self._lock:
            self._known[appid] = user
            self._known.move_to_end(appid)
            if len(self._known) > self.most:
                self._known.popitem(last=False)
