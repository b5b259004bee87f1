"""Cosmos DB beside the hubs: read after them in each pass, and compared with what came through them.

It never holds them up: a feed that can't be read is told of, and read on from where it was in the next pass.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.counting.beside import Beside
from lakehouse.lake.tables import Lake, differ
from lakehouse.sources.cosmos.feed import ChangeFeedFailed
from lakehouse.streams.contract import Contract
from lakehouse.streams.cosmos import CosmosSilver, CosmosTables
from lakehouse.streams.silver_tables import SilverTables

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CosmosBeside:
    """The containers of a run, by stream; most runs have none. failures: why a feed could not be read the last time."""

    lake: Lake
    silver: Mapping[str, CosmosSilver] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the tables."""
        for one in self.silver.values():
            one.prepare()

    def run_pass(self) -> frozenset[str]:
        """Take in what changed in the containers; gives the windows that it is of."""
        return frozenset[str]().union(*[self._read(stream, one) for stream, one in self.silver.items()])

    def of(self, window_id: str, stream: str) -> Beside | None:
        """Compare a window; None where the stream has no container."""
        if stream not in self.silver:
            return None
        return beside(self.lake, self.silver[stream].versions.newest, window_id)

    def tables_of(self, stream: str) -> tuple[str, ...]:
        """Name the tables of a stream's container."""
        tables = CosmosTables(stream)
        return (tables.rows, tables.quarantine) if stream in self.silver else ()

    def _read(self, stream: str, one: CosmosSilver) -> frozenset[str]:
        self.failures.pop(stream, None)
        try:
            return one.run_pass()
        except ChangeFeedFailed as error:
            logger.warning("lakehouse.change_feed_failed stream=%s reason=%s", stream, error)
            self.failures[stream] = str(error)
            return frozenset()


def beside(lake: Lake, contract: Contract, window_id: str) -> Beside:
    """Compare a window's rows of silver with those of the container, column by column of the contract."""
    tables, of_window = CosmosTables(contract.stream), F.col("window_id") == window_id
    hub, cosmos = (lake.read(name).where(of_window) for name in (SilverTables(contract.stream).rows, tables.rows))
    same_key = reduce(Column.__and__, [F.col(f"h.{key}") == F.col(f"c.{key}") for key in contract.key])
    in_hub, in_cosmos = F.col(f"h.{contract.key[0]}").isNotNull(), F.col(f"c.{contract.key[0]}").isNotNull()
    (row,) = (
        hub.alias("h")
        .join(cosmos.alias("c"), same_key, "full")
        .agg(
            F.count_if(in_hub & in_cosmos).alias("both"),
            F.count_if(~in_cosmos).alias("only_in_hub"),
            F.count_if(~in_hub).alias("only_in_cosmos"),
            F.count_if(in_hub & in_cosmos & differ(contract.columns, ("h", "c"))).alias("different"),
        )
        .collect()
    )
    return Beside(**row.asDict(), quarantined=lake.read(tables.quarantine).where(of_window).count())
