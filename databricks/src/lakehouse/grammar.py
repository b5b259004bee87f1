"""How ids, durations and names are written: the patterns of `contracts/documents/grammar.v1.schema.json`.

JSON Schema's patterns are used whole here (`fullmatch`): its `$` knows no last newline, Python's does.
"""

import json
import re
from importlib.resources import files

_DEFINED = json.loads(
    files("lakehouse").joinpath("contracts", "documents", "grammar.v1.schema.json").read_text(encoding="utf-8")
)["$defs"]

LONGEST_WINDOW_ID: int = _DEFINED["window_id"]["maxLength"]

WINDOW_ID, DURATION, FEED, STREAM, CONTRACT, HUB, CONTAINER, FOLDER = (
    re.compile(_DEFINED[name]["pattern"])
    for name in ("window_id", "duration", "feed", "stream", "contract", "hub", "cosmos_name", "folder")
)
