"""Where a gold table's rows are written to: Delta itself, and what it is published to."""

from typing import Protocol

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import Rewritten
from lakehouse.pipelines.table import Table


class Target(Protocol):
    """Keeps tables, each with its progress: both change together or not at all."""

    def progress(self, table: Table) -> Progress | None:
        """Give what was last written with the table's rows; None where nothing ever was."""
        ...

    def write(self, table: Table, rewritten: Rewritten, progress: Progress) -> None:
        """Put rows in the place of those that they replace.

        The rows have the table's columns in their order, the keys its key columns alone. Of NewRows the table has none
        yet. A target that outlives the lake may hold such a key all the same: there the row replaces the old one.
        """
        ...
