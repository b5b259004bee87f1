"""Up to where a table accounts for others: written into its own commits, so that it is never ahead of its rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_MARK = "lakehouse"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a table has taken in.

    versions: by table, the version of it up to which this one accounts for it. waiting: windows whose rows were left
    aside till their own run. source: what a source outside the lake has to remember: of events in bronze, of lookups in
    gold (by lookup, the window or the day whose rows the table has).
    """

    versions: Mapping[str, int] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)

    def metadata(self) -> str:
        """Write it as the text of a commit's user metadata."""
        written = {"versions": dict(self.versions), "waiting": list(self.waiting), "source": dict(self.source)}
        return json.dumps({_MARK: written}, sort_keys=True)


def parse_progress(metadata: str | None) -> Progress | None:
    """Read a commit's user metadata; None where it says nothing of progress, since others commit too."""
    try:
        written = json.loads(metadata or "")[_MARK]
        return Progress(dict(written["versions"]), tuple(written["waiting"]), dict(written["source"]))
    except (ValueError, KeyError, TypeError):
        return None
