"""Episodes of Microsoft's Durable extension, as recorded: what it asked, and what the SDK answered."""

import gzip
import json
from pathlib import Path

# Recordings are kept in a folder beside the repository, not in it; its README says how they were made.
RECORDINGS = Path(__file__).parents[2].parent / "shared/data/durable"


def episodes(file):
    """Give the rows of a file: `instance`, `function`, `asked`, `answered` and `error` of every episode."""
    with gzip.open(RECORDINGS / f"{file}.jsonl.gz") as lines:
        return [json.loads(line) for line in lines]
