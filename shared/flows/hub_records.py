"""The records of events that a function got from a hub; what is none is counted by its reason, and costs no other."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from shared.domain.delivery import Event, HubRecordRefused
from shared.feeds.packing import BodyUnreadable, lines_of

UNKNOWN_CONTRACT = "contract"
UNREADABLE_BODY = "body"


@dataclass(slots=True)
class HubRecords[Record]:
    """What was read. refused: how many records were not, by reason; dead: each of them, as it came, with its reason."""

    records: list[Record] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    dead: list[tuple[bytes, str]] = field(default_factory=list)

    def refuse(self, body: bytes, reason: str, rows: int = 1) -> None:
        """Count what is no record."""
        self.refused[reason] += rows
        self.dead.append((body, reason))


def read_records[Record](
    events: Iterable[Event], readers: Mapping[str, Callable[[bytes, Event], Record]]
) -> HubRecords[Record]:
    """Read events, rows and packs. readers: by contract, what makes a record of its line; raises HubRecordRefused."""
    read: HubRecords[Record] = HubRecords()
    for event in events:
        reader = readers.get(str(event.properties.get("contract")))
        if reader is None:
            read.refuse(event.body, UNKNOWN_CONTRACT, max(event.rows, 1))
            continue
        for line in _lines(event, read):
            try:
                read.records.append(reader(line, event))
            except HubRecordRefused as refusal:
                read.refuse(line, str(refusal))
    return read


def _lines[Record](event: Event, read: HubRecords[Record]) -> list[bytes]:
    try:
        return lines_of(event)
    except BodyUnreadable:
        read.refuse(event.body, UNREADABLE_BODY, max(event.rows, 1))
        return []
