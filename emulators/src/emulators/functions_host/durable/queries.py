"""The query strings of the task hub's API, read as the extension reads them: what it can't read is passed over."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from emulators.functions_host.durable.model import Instance

PAGE = 100
"""How many instances a query gives at most where `top` does not say: OrchestrationStatusQueryCondition.PageSize."""

STATUSES = frozenset(
    {"Running", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated", "Pending", "Suspended"}
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which instances a query or a purge is about; what is None is not asked for."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    statuses: frozenset[str] = frozenset()
    prefix: str = ""

    def holds(self, instance: Instance) -> bool:
        """Say whether `instance` is one of them."""
        return (
            (self.created_from is None or instance.created >= self.created_from)
            and (self.created_to is None or instance.created <= self.created_to)
            and (not self.statuses or instance.status in self.statuses)
            and instance.id.startswith(self.prefix)
        )


def fields_of(query: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Fold a query string: names without regard to case, repeated values joined by commas."""
    folded: dict[str, str] = {}
    for name, value in query:
        known = folded.get(name.lower())
        folded[name.lower()] = value if known is None else f"{known},{value}"
    return folded


def parse_filter(fields: Mapping[str, str]) -> Filter:
    """Read what GET instances asks for; a time or a status that is none is passed over."""
    statuses = STATUSES & set(fields.get("runtimestatus", "").split(","))
    earliest, latest = parse_time(fields.get("createdtimefrom")), parse_time(fields.get("createdtimeto"))
    return Filter(earliest, latest, frozenset(statuses), fields.get("instanceidprefix", ""))


def parse_purge(fields: Mapping[str, str]) -> Filter | None:
    """Read what DELETE instances asks for: None without `createdTimeFrom`; it knows no prefix."""
    wanted = parse_filter(fields)
    if wanted.created_from is None:
        return None
    return Filter(wanted.created_from, wanted.created_to, wanted.statuses)


def parse_top(fields: Mapping[str, str]) -> int:
    """Read how many instances to give at most."""
    text = fields.get("top", "")
    return int(text) if text.isdecimal() and int(text) else PAGE


def parse_flag(fields: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """Read a boolean; any other word than true and false is passed over."""
    return {"true": True, "false": False}.get(fields.get(name.lower(), "").strip().lower(), default)


def parse_time(text: str | None) -> datetime | None:
    """Read a time, UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def token_after(instance_id: str) -> str:
    """Write the continuation token of a page that ended with this instance."""
    return base64.urlsafe_b64encode(instance_id.encode()).decode()


def read_token(token: str) -> str:
    """Read the id after which the next page begins; raises ValueError for what is no token."""
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(f"'{token}' is no continuation token") from error
