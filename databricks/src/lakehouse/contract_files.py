"""The contracts that the wheel carries, as files: `<name>.v<version>.schema.json` in a folder of `contracts/`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

_FILE = re.compile(r"(?P<name>\w+)\.v(?P<version>\d+)\.schema\.json")


@dataclass(frozen=True, slots=True)
class ContractFile:
    """One version of one contract."""

    name: str
    version: int
    _entry: Traversable

    def read(self) -> dict[str, Any]:
        """Read the JSON Schema."""
        document: dict[str, Any] = json.loads(self._entry.read_text(encoding="utf-8"))
        return document


def contract_files(*folder: str) -> Iterator[ContractFile]:
    """List the contracts of records, or of a folder beside them such as `lookups`."""
    for entry in files("lakehouse").joinpath("contracts", *folder).iterdir():
        if match := _FILE.fullmatch(entry.name):
            yield ContractFile(match["name"], int(match["version"]), entry)
