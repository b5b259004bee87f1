"""Silver's three tables of a stream: made, upgraded to a newer contract, or refused by name."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake, columns
from lakehouse.streams.checking import spark_schema
from lakehouse.streams.contract import LINEAGE, Contract, ContractError
from lakehouse.streams.deciding import rank, without_known
from lakehouse.streams.versions import Versions, refusals, wrong_upcasts

_COMMENTS = {
    "window_id": "The window that the record was sent in, or unknown.",
    "slice": "The number of the window's slice, or close; empty where the event names none.",
    "attempt": "The number of the try at the slice; 0 where the event names none.",
    "epoch": "When the hub was made, which tells its events from those of a former hub; empty where unknown.",
    "partition": "The partition of the record's event.",
    "sequence_number": "The number of the record's event in its partition.",
    "hub": "The hub of the record's event; empty for the hub that the stream had first.",
    "index": "The record's place in its event, from 0; -1 for an event that could not be opened.",
    "rows": "How many records this stands for: those that an unopened pack says it holds.",
    "reason": "Each rule that is broken, with the kind of what was found.",
    "body": "The record, or the event, as it came.",
    "quarantined_at": "When it was set aside, UTC.",
}
_INDEXED = 32
"""Delta keeps the bounds of so many columns: only by these can a table be clustered."""


def _commented(text: str) -> T.StructType:
    of = columns(text)
    return T.StructType(
        [T.StructField(one.name, one.dataType, metadata={"comment": _COMMENTS[one.name]}) for one in of]
    )


LINEAGE_COLUMNS = _commented(
    "window_id string, slice string, attempt integer, epoch string, partition string, sequence_number long, "
    "index integer, hub string"
)
QUARANTINE = T.StructType(
    [*LINEAGE_COLUMNS, *_commented("rows long, reason string, body binary, quarantined_at timestamp")]
)


@dataclass(frozen=True, slots=True)
class SilverTables:
    """The three tables of a stream, by name: together they hold every record of its bronze exactly once."""

    stream: str

    @property
    def rows(self) -> str:
        """Name the table of good records, one a key."""
        return f"silver.{self.stream}"

    @property
    def all(self) -> tuple[str, str, str]:
        """Name all three."""
        return (self.rows, self.duplicates, self.quarantine)

    @property
    def quarantine(self) -> str:
        """Name the table of records that break the contract and of events that can't be opened."""
        return f"silver.{self.stream}_quarantine"

    @property
    def duplicates(self) -> str:
        """Name the table of good records whose key another record holds in silver."""
        return f"silver.{self.stream}_duplicates"


def contract_mark(stream: str) -> str:
    """Name, among the versions that silver's progress tells, that of the contract whose columns the table has."""
    return f"contracts/{stream}"


def prepare_silver(lake: Lake, versions: Versions) -> None:
    """Make the stream's tables, or bring them to the newest contract.

    Raises ContractError, with all reasons in one message, where versions can't stand side by side or a table is of none
    of them.
    """
    tables, newest = SilverTables(versions.stream), versions.newest
    reasons = refusals(versions)
    if not reasons:
        reasons = wrong_upcasts(versions, lambda contract: lake.spark.createDataFrame([], columns_of(contract)))
    there = lake.exists(tables.rows)
    version = _version_of_table(lake, versions) if there else newest.version
    made_by = versions.numbered(version)
    if made_by is None:
        reasons.append(f"{tables.rows} has the columns of version {version}, which is not known here")
    elif there:
        reasons += _foreign_columns(lake.read(tables.rows), tables.rows, made_by, newest)
    if reasons:
        raise ContractError(
            f"Stream {versions.stream} can't be kept in silver by {', '.join(versions.names)}: {'; '.join(reasons)}. "
            "Make a version that only adds columns, or register an upcast to it."
        )
    if made_by and any(newer.name in versions.upcasts for newer in versions.after(version)):
        _rewrite(lake, versions, made_by)
    _create(lake, newest)


def _create(lake: Lake, contract: Contract) -> None:
    tables, of_record = SilverTables(contract.stream), spark_schema(contract)
    keys = [of_record[name] for name in contract.key]
    by_time = [contract.event_time] if contract.event_time else []
    indexed = [*of_record.names, *LINEAGE][:_INDEXED]
    clustered = [name for name in dict.fromkeys([*by_time, *contract.key]) if name in indexed]
    lake.create(tables.rows, columns_of(contract), clustered, contract.description)
    lake.create(tables.duplicates, T.StructType([*keys, *LINEAGE_COLUMNS]), ("window_id",))
    lake.create(tables.quarantine, QUARANTINE, ("window_id",))


def columns_of(contract: Contract) -> T.StructType:
    """Give silver's columns of a contract, with their comments."""
    return T.StructType([*spark_schema(contract), *LINEAGE_COLUMNS])


def _version_of_table(lake: Lake, versions: Versions) -> int:
    """Give the contract whose columns the table has: as its commits say, else the newest whose columns it has all."""
    rows = SilverTables(versions.stream).rows
    progress = lake.progress(rows)
    noted = progress.versions.get(contract_mark(versions.stream)) if progress else None
    if noted is not None:
        return noted
    types = {column.name: column.dataType for column in lake.read(rows).schema}
    fitting = [
        contract.version
        for contract in versions.contracts
        if all(types.get(column.name) == column.dataType for column in spark_schema(contract))
    ]
    return fitting[-1] if fitting else versions.contracts[0].version


def _foreign_columns(rows: DataFrame, table: str, made_by: Contract, newest: Contract) -> Iterator[str]:
    """Say which columns of a table are not those of its contract; some of the newest may be there by an upgrade."""
    right = {column.name: column.dataType for contract in (newest, made_by) for column in columns_of(contract)}
    for column in rows.schema:
        if column.name not in right:
            yield f"{table} has a column {column.name}, which no version knows"
        elif column.dataType != right[column.name]:
            found, wanted = column.dataType.simpleString(), right[column.name].simpleString()
            yield f"{table} has column {column.name} as {found}, which {made_by.name} has as {wanted}"


def _rewrite(lake: Lake, versions: Versions, made_by: Contract) -> None:
    """Bring rows of an older version to the newest by the upcasts; those that then share a key with another move.

    The rows come last, and with the mark of their version: killed before, this is done again, killed after, never.
    """
    tables, newest = SilverTables(versions.stream), versions.newest
    lake.create(tables.rows, LINEAGE_COLUMNS)
    made = versions.to_newest(lake.read(tables.rows), made_by.version).select(*newest.columns, *LINEAGE)
    if newest.key != made_by.key or _key_types(newest) != _key_types(made_by):
        by_key = Window.partitionBy(*newest.key).orderBy(rank(newest))
        ranked = made.withColumn("_place", F.row_number().over(by_key))
        made = ranked.where("_place = 1").drop("_place")
        _rewrite_duplicates(lake, newest, ranked.where("_place > 1").select(*newest.key, *LINEAGE))
    progress = lake.progress(tables.rows) or Progress()
    marked = Progress({**progress.versions, contract_mark(newest.stream): newest.version}, progress.waiting)
    lake.overwrite(tables.rows, made.select(*map(_as_column, columns_of(newest))), marked)


def _rewrite_duplicates(lake: Lake, contract: Contract, more: DataFrame) -> None:
    """Give the duplicates the new key's columns: null where the old key had no such one, for no more is kept."""
    name = SilverTables(contract.stream).duplicates
    lake.create(name, LINEAGE_COLUMNS)
    there, wanted = lake.read(name), [spark_schema(contract)[key] for key in contract.key]
    types = {column.name: column.dataType for column in there.schema}
    keys = [
        (F.col(key.name) if types.get(key.name) == key.dataType else F.lit(None).cast(key.dataType)).alias(key.name)
        for key in wanted
    ]
    old = there.select(*keys, *LINEAGE)
    lake.overwrite(name, old.unionByName(without_known(more, there)), lake.progress(name))


def _as_column(column: T.StructField) -> Column:
    return F.col(column.name).alias(column.name, metadata=column.metadata)


def _key_types(contract: Contract) -> list[T.DataType]:
    return [spark_schema(contract)[name].dataType for name in contract.key]
