"""How far bronze has each hub of a stream: what the commits of its table say, and what they are given to say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from lakehouse.sources.reading import Mark


@dataclass(frozen=True, slots=True)
class HubProgress:
    """How far bronze has one hub.

    epoch: None where no commit says anything of the hub. epochs: all that are known of it, the oldest first. last: up
    to which sequence number each partition of the epoch was gone through. mark: what its source wants to know again.
    """

    epoch: str | None = None
    epochs: tuple[str, ...] = ()
    last: Mapping[str, int] = field(default_factory=dict)
    mark: Mark = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableProgress:
    """How far a bronze table is, by hub.

    first: the hub whose events bear no name, since the stream had it first; None where no commit says which that is,
    empty where none of today's is it. hubs: by the name that a hub's events bear, empty for the first one's.
    """

    first: str | None = None
    hubs: Mapping[str, HubProgress] = field(default_factory=dict)

    def label_of(self, hub: str) -> str:
        """Give the name that a hub's events bear."""
        return "" if hub == self.first else hub

    def of(self, label: str) -> HubProgress:
        """Give how far a hub is read, by the name that its events bear."""
        return self.hubs.get(label, HubProgress())

    def having(self, label: str, progress: HubProgress) -> "TableProgress":
        """Give the same with a hub read so far."""
        return replace(self, hubs={**self.hubs, label: progress})

    def reading(self, hubs: Sequence[tuple[str, str]]) -> "TableProgress":
        """Decide which of the hubs that are read now, each by name and epoch, is the first, where nobody has yet.

        It is the first one given, or whichever has the epoch that commits speak of which name no hub. One that is older
        than that can't be it: no hub becomes older.
        """
        known = self.of("").epoch
        if self.first is not None:
            return self
        same = [name for name, epoch in hubs if epoch == known]
        name, epoch = hubs[0]
        is_older = bool(epoch) and epoch < (known or "")
        return replace(self, first=same[0] if same else "" if is_older else name)

    def as_source(self) -> dict[str, str]:
        """Write it for a commit; a table of one hub has it as tables had it that knew of no other."""
        own = self.of("")
        others = {name: asdict(progress) for name, progress in self.hubs.items() if name}
        flat = {_EPOCH: own.epoch or "", _EPOCHS: json.dumps(own.epochs), _LAST: json.dumps(own.last, sort_keys=True)}
        return {
            **own.mark,
            **(flat if own.epoch is not None else {}),
            **({_FIRST: self.first} if self.first is not None else {}),
            **({_OTHERS: json.dumps(others, sort_keys=True)} if others else {}),
        }

    @classmethod
    def of_source(cls, source: Mapping[str, str]) -> "TableProgress":
        """Read what `as_source` wrote, or a version that knew of one hub."""
        mark = {name: text for name, text in source.items() if name not in _OWN}
        epochs, last = json.loads(source.get(_EPOCHS, "[]")), json.loads(source.get(_LAST, "{}"))
        others = json.loads(source.get(_OTHERS, "{}"))
        hubs = {name: HubProgress(**{**each, "epochs": tuple(each["epochs"])}) for name, each in others.items()}
        first = HubProgress(source.get(_EPOCH), tuple(epochs), last, mark)
        return cls(source.get(_FIRST), {"": first, **hubs} if first != HubProgress() else hubs)


_EPOCH, _EPOCHS, _LAST, _FIRST, _OTHERS = "epoch", "epochs", "last", "first_hub", "hubs"
_OWN = {_EPOCH, _EPOCHS, _LAST, _FIRST, _OTHERS}
