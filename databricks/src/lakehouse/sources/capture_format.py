"""Capture's file name format: where a file's path says its hub and its partition."""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.sources.configuration import SourceRefused


@dataclass(frozen=True, slots=True)
class CaptureFormat:
    """A checked format, such as `{Namespace}/{EventHub}/{PartitionId}/{Year}/…`, without the ending `.avro`."""

    text: str

    def pattern(self, hub: str) -> str:
        """Give the regular expression, for Python and Java, of the end of a path; its one group is the partition."""
        parts = _PLACEHOLDER.split(self.text)
        written = [re.escape(part) if number % 2 == 0 else _part(part, hub) for number, part in enumerate(parts)]
        return f"/{''.join(written)}\\.avro$"

    def glob(self, hub: str) -> str:
        """Give the pattern of the folders (or files) that hold the hub's files, however deep below them."""
        segments = self.text.split("/")
        last = next(number for number, segment in enumerate(segments) if "{EventHub}" in segment)
        named = [_PLACEHOLDER.sub(lambda found: hub if found[1] == "EventHub" else "*", one) for one in segments]
        return "/".join(named[: last + 1]) + (".avro" if last == len(segments) - 1 else "")


def parse_capture_format(text: str) -> CaptureFormat:
    """Check a format; raises SourceRefused where it does not tell the hub and the partition of every path."""
    found = _PLACEHOLDER.findall(text)
    missing = [name for name in ("EventHub", "PartitionId") if name not in found]
    unknown = [name for name in found if name not in _WRITTEN]
    twice = sorted({name for name in found if found.count(name) > 1})
    touching = [f"{{{a}}}{{{b}}}" for a, b in _TOUCHING.findall(text) if {a, b} <= _ANY_LENGTH]
    shared = [one for one in text.split("/") if "{Namespace}" in one and "{EventHub}" in one]
    odd = sorted(set("".join(_PLACEHOLDER.split(text)[::2])) - _LITERAL)
    complaints = {
        "lacks": [f"{{{name}}}" for name in missing],
        "has the unknown placeholders": [f"{{{name}}}" for name in unknown],
        "has the characters": list(map(repr, odd)),
        "names twice": [f"{{{name}}}" for name in twice],
        "leaves open where one of two ends, in": sorted({*touching, *shared}),
    }
    wrong = [f"{what} {', '.join(which)}" for what, which in complaints.items() if which]
    if wrong:
        raise SourceRefused(f"capture_format: {text!r} {'; '.join(wrong)}")
    return CaptureFormat(text)


def _part(name: str, hub: str) -> str:
    return re.escape(hub) if name == "EventHub" else _WRITTEN[name]


_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_TOUCHING = re.compile(r"\{(\w+)\}(?=\{(\w+)\})")
_LITERAL = set(string.ascii_letters + string.digits + "._-=/")
"""Others are written in one way in a path and in another in its URL."""
_ANY_LENGTH = {"Namespace", "EventHub", "PartitionId"}
_WRITTEN: Mapping[str, str] = {
    "Namespace": "[^/]+",
    "EventHub": "",
    "PartitionId": r"(\d+)",
    "Year": r"\d{4}",
    **dict.fromkeys(("Month", "Day", "Hour", "Minute", "Second"), r"\d{2}"),
}
