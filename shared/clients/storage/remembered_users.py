"""Users of promotions whom this process has met: most points change nothing of theirs, and then no table is asked.

Others may have given a user more since then, or have found its device gone.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from shared.clients.storage.promotion_users import PromotionUser, SingleUsers

MOST: Final = 20_000
"""So many users are remembered, about 1 KB each; then those who were not met for longest are forgotten."""


@dataclass(slots=True)
class RememberedUsers:
    """Users for any number of threads; the table is asked for those who are not remembered, and for what changes.

    What a change makes of a user must hold for one who got more, where it makes nothing of it: so does what cap and
    cool-down forbid, which more can't allow.
    """

    users: SingleUsers
    most: int = MOST
    _known: OrderedDict[str, PromotionUser] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def read(self, appid: str) -> PromotionUser:
        """Give a user as it was when it was last met, or read it; raises what `SingleUsers.read` does."""
        known = self._met(appid)
        if known is None:
            known = self.users.read(appid)
            self._remember(appid, known)
        return known

    def change(self, appid: str, change: Callable[[PromotionUser], PromotionUser]) -> None:
        """Put what `change` makes of a user in its place; it may be asked several times, and the last time counts.

        Raises what `SingleUsers.change` does.
        """
        if self.keeps(appid, change):
            return
        made = PromotionUser()

        def noted(user: PromotionUser) -> PromotionUser:
            nonlocal made
            made = change(user)
            return made

        self.users.change(appid, noted)
        self._remember(appid, made)

    def keeps(self, appid: str, change: Callable[[PromotionUser], PromotionUser]) -> bool:
        """Say whether the user was met, and stays as it was then."""
        known = self._met(appid)
        return known is not None and change(known) == known

    def begin(self, appids: Iterable[str], make: Callable[[str], PromotionUser]) -> set[str]:
        """Begin those of the users who were not met; raises what `SingleUsers.begin` does."""
        made: dict[str, PromotionUser] = {}

        def noted(appid: str) -> PromotionUser:
            made[appid] = make(appid)
            return made[appid]

        begun = self.users.begin([appid for appid in appids if self._met(appid) is None], noted)
        for appid in begun:
            self._remember(appid, made[appid])
        return begun

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
