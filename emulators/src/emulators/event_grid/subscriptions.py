"""Who wants which events: the subscriptions, and their filters."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from emulators.event_grid.events import Event, Schema

_LONGEST_LIFE_MINUTES = 1440
_MOST_ATTEMPTS = 30

type _Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{3,64}$")]
type _Endpoint = Annotated[str, msgspec.Meta(pattern="^https?://")]
type _Attempts = Annotated[int, msgspec.Meta(ge=1, le=_MOST_ATTEMPTS)]
type _Minutes = Annotated[int, msgspec.Meta(ge=1, le=_LONGEST_LIFE_MINUTES)]


class Subscription(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One event subscription; the JSON names are Azure Resource Manager's, laid flat.

    An empty filter lets everything pass; subjects and types are compared without regard to case, as in Azure, unless
    `isSubjectCaseSensitive`. `endpoint` may carry a key in its query: show `address` instead.
    """

    name: _Name
    endpoint: _Endpoint
    event_delivery_schema: Schema = Schema.EVENT_GRID
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    is_subject_case_sensitive: bool = False
    included_event_types: tuple[str, ...] = ()
    max_delivery_attempts: _Attempts = _MOST_ATTEMPTS
    event_time_to_live_in_minutes: _Minutes = _LONGEST_LIFE_MINUTES
    dead_letter_container: str | None = None

    @property
    def address(self) -> str:
        """The endpoint without its query."""
        return urlunsplit((*urlsplit(self.endpoint)[:3], "", ""))

    def wants(self, event: Event) -> bool:
        """Say whether an event passes the filters."""
        types = {name.lower() for name in self.included_event_types}
        if types and event.type.lower() not in types:
            return False
        fold = str if self.is_subject_case_sensitive else str.lower
        subject = fold(event.subject)
        return subject.startswith(fold(self.subject_begins_with)) and subject.endswith(fold(self.subject_ends_with))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    subscriptions: tuple[Subscription, ...]


def read_subscriptions(path: Path) -> tuple[Subscription, ...]:
    """Read `{"subscriptions": [...]}`; ValueError names the file and the field at fault."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).subscriptions
    except (msgspec.DecodeError, OSError) as error:
        raise ValueError(f"{path} does not describe subscriptions: {error}") from error


def described(subscription: Subscription) -> dict[str, Any]:
    """Write a subscription for whoever looks, without what its endpoint may hide."""
    fields: dict[str, Any] = msgspec.to_builtins(subscription)
    return fields | {"endpoint": subscription.address}
