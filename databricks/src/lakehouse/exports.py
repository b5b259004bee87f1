"""Streams whose records a table was exported to: read beside the hubs in each pass, up to silver.

Their files belong to no window, so no window's counts tell of them. They never hold up the hubs: a folder that can't be
listed is told of and read in the next pass, and a file that can't be read is told of and left behind in quarantine.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lakehouse.lake.tables import Lake
from lakehouse.reference import ReferenceStore, StoreFailed
from lakehouse.streams.bronze import create_bronze_table
from lakehouse.streams.exported import run_export_pass
from lakehouse.streams.silver import Silver

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exports:
    """The exported streams of a run; most runs have none.

    folders: by stream, where its files are in `files`. silver: of each stream. failures: by folder or file, what went
    wrong.
    """

    lake: Lake
    files: ReferenceStore
    folders: Mapping[str, str] = field(default_factory=dict)
    silver: Mapping[str, Silver] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    failures: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the tables."""
        for stream, silver in self.silver.items():
            create_bronze_table(self.lake, stream)
            silver.prepare()

    def run_pass(self) -> None:
        """Take the files that are new, and what silver is behind."""
        for stream, silver in self.silver.items():
            self._read(stream, silver)
            silver.run_pass()

    def _read(self, stream: str, silver: Silver) -> None:
        folder, versions = self.folders[stream], silver.versions
        contract = next(one for one in versions.contracts if one.name == versions.default)
        self.failures.pop(folder, None)
        try:
            found = run_export_pass(self.lake, self.files, folder, contract, self.now())
        except StoreFailed as error:
            logger.warning("lakehouse.exports_not_listed stream=%s reason=%s", stream, error)
            self.failures[folder] = str(error)
            return
        self.failures.update({path: f"{path} was not taken: {why}" for path, why in found.refused.items()})
        if found.files:
            logger.info("lakehouse.exports_taken stream=%s files=%d records=%d", stream, found.files, found.records)
