"""Bronze into silver: records opened, checked and typed, one row per key; bad ones and duplicates kept beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.streams.checking import checked, spark_schema
from lakehouse.streams.contract import LINEAGE, Contract
from lakehouse.lake.tables import Lake, MicroBatch, columns, of_window, on_columns
from lakehouse.streams.packs import opened

_LINEAGE = columns(
    "window_id string, slice string, attempt integer, partition string, sequence_number long, index integer"
)
_QUARANTINE = T.StructType([*_LINEAGE, *columns("rows long, reason string, body binary, quarantined_at timestamp")])
_PLACE = ("partition", "sequence_number", "index")


@dataclass(frozen=True, slots=True)
class SilverTables:
    """The three tables of a stream, by name: together they hold every record of its bronze exactly once."""

    stream: str

    @property
    def rows(self) -> str:
        """Name the table of good records, one a key."""
        return f"silver.{self.stream}"

    @property
    def quarantine(self) -> str:
        """Name the table of records that break the contract and of events that can't be opened."""
        return f"silver.{self.stream}_quarantine"

    @property
    def duplicates(self) -> str:
        """Name the table of good records whose key another record holds in silver."""
        return f"silver.{self.stream}_duplicates"


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch did. holders: its records that hold their keys now. windows: those that its events came with."""

    holders: DataFrame
    windows: Sequence[str]


def create_silver(lake: Lake, contract: Contract) -> None:
    """Make the stream's tables where they are not there yet."""
    tables, of_record = SilverTables(contract.stream), spark_schema(contract)
    keys = [of_record[name] for name in contract.key]
    lake.create(tables.rows, T.StructType([*of_record, *_LINEAGE]), contract.key)
    lake.create(tables.duplicates, T.StructType([*keys, *_LINEAGE]), ("window_id",))
    lake.create(tables.quarantine, _QUARANTINE, ("window_id",))


def records(bronze: DataFrame, contract: Contract) -> DataFrame:
    """Open and check events: typed columns, lineage, `rows`, `body`, and `reason`, which is null for a good record."""
    return checked(opened(bronze, contract.name), contract)


def compared(good: DataFrame, held: DataFrame, contract: Contract) -> DataFrame:
    """Put records beside the rows that hold their keys: `_wins`, and `_held` (null where the key is new).

    The lowest `received_at` holds a key, where the contract has one, then the lowest position. A record that already
    holds its key wins, so a repeated batch decides as it did. good: typed columns and lineage. held: silver as it is.
    """
    by_key = Window.partitionBy(*contract.key).orderBy(_rank(contract))
    ranked = good.select(*contract.columns, *LINEAGE).withColumn("_place", F.row_number().over(by_key)).alias("s")
    theirs = held.select(*dict.fromkeys([*contract.key, *LINEAGE, *_first(contract)])).alias("t")
    beside = ranked.join(theirs, [F.col(f"s.{key}") == F.col(f"t.{key}") for key in contract.key], "left")
    is_new = F.col("t.partition").isNull()
    wins = (F.col("_place") == 1) & (is_new | _same_place() | _earlier(contract))
    other = F.when(~is_new & ~_same_place(), F.struct(*[F.col(f"t.{name}") for name in (*contract.key, *LINEAGE)]))
    return beside.select("s.*", wins.alias("_wins"), other.alias("_held")).drop("_place")


def write_silver(lake: Lake, contract: Contract, found: DataFrame, batch: MicroBatch) -> Written:
    """Write a batch's records to silver, quarantine and duplicates; a second time changes nothing.

    found: read several times, so best a checkpoint. Duplicates are found before the MERGE that makes them so:
    afterwards a displaced row is no longer to be seen. The checkpoint cuts the tie to silver, which the MERGE is about
    to change. Nothing is written where there is nothing: each commit costs the table's next reader the
    better part of a second.
    """
    tables = SilverTables(contract.stream)
    windows = {row["window_id"]: row["bad"] for row in _bad_by_window(found).collect()}
    if any(windows.values()):
        lake.append(tables.quarantine, _quarantined(found), batch)
    outcome = compared(_good(found), lake.read(tables.rows), contract).localCheckpoint(eager=False)
    totals = _totals(outcome)
    if totals["losers"] or totals["displaced"]:
        lake.append(tables.duplicates, _losers(outcome, contract).unionByName(_displaced(outcome)), batch)
    if totals["winners"]:
        _merge(lake, contract, _winners(outcome), has_displaced=bool(totals["displaced"]))
    return Written(_winners(outcome), sorted(windows))


def rewrite_silver(lake: Lake, contract: Contract, found: DataFrame, window_id: str) -> None:
    """Put a window's records, opened and checked anew, in the place of what the tables hold of it."""
    tables, own = SilverTables(contract.stream), of_window(window_id)
    others = lake.read(tables.rows).where(F.col("window_id") != window_id)
    outcome = compared(_good(found), others, contract).localCheckpoint()
    lake.replace(tables.quarantine, _quarantined(found), own)
    lake.replace(tables.duplicates, _losers(outcome, contract), own)
    lake.replace(tables.rows, _winners(outcome), own)
    displaced = _displaced(outcome)
    if not displaced.isEmpty():
        _move_to_duplicates(lake, tables, displaced)


def _bad_by_window(found: DataFrame) -> DataFrame:
    return found.groupBy("window_id").agg(F.count("reason").alias("bad"))


def _totals(outcome: DataFrame) -> Row:
    """Count all that decides what is to be written; as the first action on the checkpoint it also fills it."""
    loses, displaces = ~F.col("_wins"), F.col("_wins") & F.col("_held").isNotNull()
    counted = {"winners": F.col("_wins"), "losers": loses, "displaced": displaces}
    (row,) = outcome.agg(*[F.count_if(condition).alias(name) for name, condition in counted.items()]).collect()
    return row


def _winners(outcome: DataFrame) -> DataFrame:
    return outcome.where("_wins").drop("_wins", "_held")


def _losers(outcome: DataFrame, contract: Contract) -> DataFrame:
    return outcome.where("NOT _wins").select(*contract.key, *LINEAGE)


def _displaced(outcome: DataFrame) -> DataFrame:
    return outcome.where("_wins AND _held IS NOT NULL").select("_held.*")


def quarantine_reasons(lake: Lake, stream: str, window_id: str) -> DataFrame:
    """Give (reason, rows) of a window's quarantine, the most frequent first."""
    of_window = lake.read(SilverTables(stream).quarantine).where(F.col("window_id") == window_id)
    return of_window.groupBy("reason").agg(F.sum("rows").alias("rows")).orderBy(F.desc("rows"), "reason")


def _move_to_duplicates(lake: Lake, tables: SilverTables, displaced: DataFrame) -> None:
    for name, matched in ((tables.duplicates, False), (tables.rows, True)):
        merge = lake.delta(name).alias("t").merge(displaced.alias("s"), on_columns(_PLACE))
        (merge.whenMatchedDelete() if matched else merge.whenNotMatchedInsertAll()).execute()


def _merge(lake: Lake, contract: Contract, winners: DataFrame, *, has_displaced: bool) -> None:
    """MERGE on the key; where no row is displaced it only inserts, so Delta need not look for matches first."""
    table = lake.delta(SilverTables(contract.stream).rows).alias("t")
    merge = table.merge(winners.alias("s"), on_columns(contract.key))
    merge = merge.whenMatchedUpdateAll(_earlier(contract)) if has_displaced else merge
    merge.whenNotMatchedInsertAll().execute()


def _good(found: DataFrame) -> DataFrame:
    return found.where(F.col("reason").isNull())


def _quarantined(found: DataFrame) -> DataFrame:
    bad = found.where(F.col("reason").isNotNull()).withColumn("quarantined_at", F.current_timestamp())
    return bad.select(*_QUARANTINE.names)


def _first(contract: Contract) -> tuple[str, ...]:
    return ("received_at",) if "received_at" in contract.columns else ()


def _rank(contract: Contract, side: str = "") -> Column:
    """RunRequest records of one key; partitions are numbers written as text."""
    number = F.col(f"{side}partition").try_cast("int").alias("number")
    first = [F.col(f"{side}{name}") for name in _first(contract)]
    return F.struct(*first, number, F.col(f"{side}sequence_number"), F.col(f"{side}index"))


def _earlier(contract: Contract) -> Column:
    return _rank(contract, "s.") < _rank(contract, "t.")


def _same_place() -> Column:
    pairs = [F.col(f"s.{name}").eqNullSafe(F.col(f"t.{name}")) for name in _PLACE]
    return pairs[0] & pairs[1] & pairs[2]
