"""Which record holds its key: the same one in whatever order and in how many batches the records come."""

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.streams.contract import LINEAGE, Contract

PLACE = ("epoch", "partition", "sequence_number", "index", "hub")
"""Where a record stood: its event's place in its hub, and its own within the event."""

UNNAMED = ("epoch", "hub")
"""Of a place, what is null in rows from before it was kept; in later ones it is empty where it is unknown."""

NEW, DISPLACES, LOSES, THERE = "new", "displaces", "loses", "there"
"""Of a record: its key is new; it takes its key from a row; another has its key; it is the row that has it."""

OUTCOME, HELD = "_outcome", "_held"


def decided(good: DataFrame, held: DataFrame, contract: Contract) -> DataFrame:
    """Put records beside the rows that hold their keys: `_outcome`, and `_held`, the lineage of the row displaced.

    The lowest `received_at` holds a key, where the contract has one, then the lowest place, older epochs first. Where
    the contract says that the last one wins, it is that of the greatest number.
    good: typed columns and lineage, each place once. held: silver's rows, those of the records' keys at least.
    """
    by_key = Window.partitionBy(*contract.key).orderBy(rank(contract))
    ranked = good.select(*contract.silver_columns).withColumn("_place", F.row_number().over(by_key)).alias("s")
    theirs = _lineage(held.select(*dict.fromkeys([*contract.key, *LINEAGE, *_first(contract)]))).alias("t")
    beside = ranked.join(theirs, [F.col(f"s.{key}") == F.col(f"t.{key}") for key in contract.key], "left")
    best = F.col("s._place") == 1
    outcome = (
        F.when(F.col("t.partition").isNull(), F.when(best, NEW).otherwise(LOSES))
        .when(_same_place(), THERE)
        .when(best & (rank(contract, "s.") < rank(contract, "t.")), DISPLACES)
        .otherwise(LOSES)
    )
    theirs_of = F.struct(*[F.col(f"t.{name}") for name in (*contract.key, *LINEAGE)])
    with_outcome = beside.select("s.*", outcome.alias(OUTCOME), theirs_of.alias("_theirs"))
    return with_outcome.select("*", F.when(F.col(OUTCOME) == DISPLACES, F.col("_theirs")).alias(HELD)).drop(
        "_place", "_theirs"
    )


def holders(outcome: DataFrame) -> DataFrame:
    """Give the records that take a key."""
    return outcome.where(F.col(OUTCOME).isin(NEW, DISPLACES)).drop(OUTCOME, HELD)


def losers(outcome: DataFrame, contract: Contract) -> DataFrame:
    """Give the key and lineage of the records whose key another has."""
    return outcome.where(F.col(OUTCOME) == LOSES).select(*contract.key, *LINEAGE)


def displaced(outcome: DataFrame) -> DataFrame:
    """Give the key and lineage of the rows that lose theirs."""
    return outcome.where(F.col(OUTCOME) == DISPLACES).select(f"{HELD}.*")


def rank(contract: Contract, side: str = "") -> Column:
    """Order records of one key; partitions are numbers written as text."""
    number = F.col(f"{side}partition").try_cast("int").alias("number")
    first = [F.col(f"{side}{name}") for name in _first(contract)]
    if contract.last_wins:
        first.append((-F.col(f"{side}sequence_number")).alias("last"))
    epoch, *place, hub = (F.col(f"{side}{name}") for name in PLACE)
    unnamed = [F.coalesce(one, F.lit("")).alias(name) for one, name in ((epoch, "epoch"), (hub, "hub"))]
    return F.struct(*first, unnamed[0], number, *place, unnamed[1])


def without_known(rows: DataFrame, table: DataFrame) -> DataFrame:
    """Leave out rows whose place a table has already."""
    known = _lineage(table.select(*PLACE))
    return _lineage(rows).join(known, list(PLACE), "left_anti").select(*rows.columns)


def _lineage(rows: DataFrame) -> DataFrame:
    """Read rows of before epochs, or hubs, were kept as bronze has their events: of an unnamed one."""
    return rows.withColumns({name: F.coalesce(name, F.lit("")) for name in UNNAMED})


def _first(contract: Contract) -> tuple[str, ...]:
    return ("received_at",) if "received_at" in contract.columns else ()


def _same_place() -> Column:
    return reduce(Column.__and__, (F.col(f"s.{name}").eqNullSafe(F.col(f"t.{name}")) for name in PLACE))
