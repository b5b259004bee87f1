"""Episodes of Microsoft's Durable extension, as recorded: what it asked the Python SDK, and what that answered."""

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emulators.functions_host.durable.history import EventType, read_failure, read_reply

# Recordings are kept in a folder beside the repository, not in it; its README says how they were made.
RECORDINGS = Path(__file__).parents[5].parent / "shared/data/durable"
FILES = ("shapes", "november", "children", "holds")


@dataclass(frozen=True)
class Episode:
    """One episode: the history with which the extension asked, and what the SDK answered."""

    asked: dict
    reply: object
    at: float

    @property
    def history(self):
        return self.asked["history"]

    @property
    def execution(self):
        started = next(e for e in self.history if e["EventType"] == EventType.EXECUTION_STARTED)
        return started["OrchestrationInstance"]["ExecutionId"]


@cache
def episodes(file):
    """Give the episodes of a file by instance, in their order."""
    found = defaultdict(list)
    with gzip.open(RECORDINGS / f"{file}.jsonl.gz") as lines:
        for line in lines:
            row = json.loads(line)
            reply = read_failure(row["error"]) if row["answered"] is None else read_reply(json.dumps(row["answered"]))
            found[row["instance"]].append(Episode(row["asked"], reply, row["at"]))
    return dict(found)


def instances():
    """Give every recorded instance as (file, instance)."""
    return [(file, instance) for file in FILES for instance in episodes(file)]
