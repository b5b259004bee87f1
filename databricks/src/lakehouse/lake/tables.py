"""The Delta tables of the lakehouse by name: made, changed and read, each change with the progress that it makes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from delta.tables import DeltaMergeBuilder, DeltaTable, DeltaTableBuilder
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.lake.naming import Names
from lakehouse.lake.progress import Progress, parse_progress

CHANGE = "_change_type"
VERSION = "_commit_version"
INSERT, AFTER_UPDATE = "insert", "update_postimage"
_CHANGE_FEED = {"delta.enableChangeDataFeed": "true"}
_CHANGES_FROM = "lakehouse.changes_from"
_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_LAST_COMMIT = "spark.databricks.delta.lastCommitVersionInSession"
_HISTORY = (20, 1000)
"""How many commits are looked at for progress: maintenance commits too, so a few; many before giving it up."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to a table in a span of its versions.

    rows: the table's columns, `_change_type` (insert, update_preimage, update_postimage, delete) and `_commit_version`.
    whole: the change feed does not reach back so far, so these are all rows that the table has now, as inserts: who
    takes them in must expect to have some of them already. is_empty: there was no version in the span.
    """

    rows: DataFrame
    to: int
    whole: bool
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Lake:
    """The tables `<layer>.<name>` that one Spark session knows. Nobody else writes to them but for maintenance."""

    spark: SparkSession
    names: Names = field(default_factory=Names)
    _progress: dict[str, Progress | None] = field(default_factory=dict, init=False, repr=False)
    _noted: dict[str, Progress | None] = field(default_factory=dict, init=False, repr=False)
    _versions: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _made: set[str] = field(default_factory=set, init=False, repr=False)
    _blank: set[str] = field(default_factory=set, init=False, repr=False)
    _kept_from: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def create(
        self,
        name: str,
        schema: T.StructType,
        clustered_by: Sequence[str] = (),
        comment: str = "",
        *,
        partitioned_by: str = "",
    ) -> None:
        """Make a table of these columns where there is none; add the columns and the change feed that it lacks.

        clustered_by: at most four columns count. partitioned_by: in its place, a column whose rows of one value are
        replaced together: then no file is read to do so. One that is there keeps what it was made with. A column's
        comment is its metadata `comment`. Asked again, it does not look.
        """
        if name in self._made:
            return
        self._made.add(name)
        if self.exists(name):
            self._upgrade(name, schema)
            return
        builder = DeltaTable.createIfNotExists(self.spark).tableName(self.names.table(name)).addColumns(schema)
        for key, value in _CHANGE_FEED.items():
            builder = builder.property(key, value)
        builder = builder.comment(comment) if comment else builder
        with self._committing(name, self.spark, None):
            _laid_out(builder, clustered_by, partitioned_by).execute()
        if self._versions.get(name) == 0:
            self._blank.add(name)
            self._progress[name] = self._noted[name] = None
            self._kept_from[name] = 0

    def is_blank(self, name: str) -> bool:
        """Say whether this process made the table and nothing was written to it yet: then there is nothing to read."""
        return name in self._blank

    def read(self, name: str) -> DataFrame:
        """Give a table as it is now."""
        return self.spark.read.table(self.names.table(name))

    def exists(self, name: str) -> bool:
        """Say whether the table was ever made."""
        return self.spark.catalog.tableExists(self.names.table(name))

    def delta(self, name: str) -> DeltaTable:
        """Give a table for what only Delta's own interface does."""
        return DeltaTable.forName(self.spark, self.names.table(name))

    def append(self, name: str, rows: DataFrame, progress: Progress | None = None) -> None:
        """Add rows in one commit."""
        with self._committing(name, rows.sparkSession, progress):
            rows.write.format("delta").mode("append").saveAsTable(self.names.table(name))

    def replace(self, name: str, rows: DataFrame, where: str = "", progress: Progress | None = None) -> None:
        """Put rows in the place of those that meet a condition, of all without one, in one commit."""
        with self._committing(name, rows.sparkSession, progress):
            writer = rows.write.format("delta").mode("overwrite")
            writer = writer.option("replaceWhere", where) if where else writer
            writer.saveAsTable(self.names.table(name))

    def overwrite(self, name: str, rows: DataFrame, progress: Progress | None = None) -> None:
        """Put rows, and their columns, in the place of all that the table has; its changes are told from then on."""
        with self._committing(name, rows.sparkSession, progress):
            writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
            writer.saveAsTable(self.names.table(name))
        self._tell_changes_from(name, self.version(name) + 1)

    def merge(self, name: str, merge: DeltaMergeBuilder, progress: Progress | None = None) -> None:
        """Execute a MERGE into a table (`lake.delta(name).merge(…)`)."""
        with self._committing(name, self.spark, progress):
            merge.execute()

    def delete(self, name: str, where: str, progress: Progress | None = None) -> None:
        """Delete the rows that meet a condition."""
        with self._committing(name, self.spark, progress):
            self.delta(name).delete(where)

    def update(self, name: str, where: Column, values: Mapping[str, Column], progress: Progress | None = None) -> None:
        """Give columns of the rows that meet a condition other values."""
        with self._committing(name, self.spark, progress):
            self.delta(name).update(where, dict(values))

    def tables(self, layer: str) -> list[str]:
        """Name the tables that a layer has, in order."""
        there = self.spark.sql(f"SHOW TABLES IN {self.names.schema(layer)}").where("NOT isTemporary").collect()
        return sorted(f"{layer}.{row['tableName']}" for row in there)

    def compact(self, name: str, kept: timedelta) -> None:
        """Make large files of small ones, in the order of the table's clustering; delete files unused for so long."""
        self.delta(name).optimize().executeCompaction()
        self.delta(name).vacuum(kept / timedelta(hours=1))

    def version(self, name: str) -> int:
        """Give the table's newest version, as far as this process wrote it, else by its history."""
        if name not in self._versions:
            self._history(name, 1)
        return self._versions[name]

    def progress(self, name: str) -> Progress | None:
        """Give up to where a table accounts for others; None where none of its commits says."""
        if name not in self._progress:
            found = next(filter(None, self._written_progress(name)), None) if self.exists(name) else None
            self._progress[name] = self._noted[name] = found
        return self._progress[name]

    def advance(self, name: str, progress: Progress) -> None:
        """Remember that a table accounts for more, though no row of it had to change; `note` writes it down."""
        self.progress(name)
        self._progress[name] = progress

    def note(self, name: str) -> None:
        """Write down what `advance` remembered, so that the next process need not look at it again."""
        progress = self.progress(name)
        if progress is None or progress == self._noted[name]:
            return
        with self._committing(name, self.spark, progress):
            self.spark.sql(f"ALTER TABLE {self.names.table(name)} SET TBLPROPERTIES ('lakehouse.noted' = 'true')")

    def note_all(self) -> None:
        """Write down all that was remembered."""
        for name in list(self._progress):
            self.note(name)

    def changes(self, name: str, after: int | None, to: int | None = None) -> Changes:
        """Give what happened to a table after a version (None: all of it), up to another one (None: the newest)."""
        last = self.version(name) if to is None else to
        if after is not None and after >= last:
            return Changes(_as_changes(self.read(name).limit(0), last), last, whole=False, is_empty=True)
        if after is None or after + 1 < self._changes_from(name):
            return Changes(_as_changes(self.read(name), last), last, whole=True)
        reader = self.spark.read.option("readChangeFeed", "true").option("startingVersion", after + 1)
        found = reader.option("endingVersion", last).table(self.names.table(name)).drop("_commit_timestamp")
        return Changes(found, last, whole=False)

    def _changes_from(self, name: str) -> int:
        """Give the first version whose changes are told; Delta itself says only while it reads that it lacks them."""
        if name not in self._kept_from:
            self._kept_from[name] = int(self._properties(name).get(_CHANGES_FROM, 0))
        return self._kept_from[name]

    def _tell_changes_from(self, name: str, version: int) -> None:
        set_to = ", ".join(f"'{key}' = '{value}'" for key, value in {**_CHANGE_FEED, _CHANGES_FROM: version}.items())
        with self._committing(name, self.spark, None):
            self.spark.sql(f"ALTER TABLE {self.names.table(name)} SET TBLPROPERTIES ({set_to})")
        self._kept_from[name] = version

    def _properties(self, name: str) -> dict[str, str]:
        found = self.spark.sql(f"SHOW TBLPROPERTIES {self.names.table(name)}").collect()
        return {row["key"]: row["value"] for row in found}

    @contextmanager
    def _committing(self, name: str, session: SparkSession, progress: Progress | None) -> Iterator[None]:
        """Give the commit its metadata and keep what it made; a write that had nothing to do makes none."""
        session.conf.unset(_LAST_COMMIT)
        if progress is not None:
            session.conf.set(_USER_METADATA, progress.metadata())
        try:
            yield
        finally:
            session.conf.unset(_USER_METADATA)
        made = session.conf.get(_LAST_COMMIT, None)
        if made is not None:
            self._versions[name] = int(made)
            self._blank.discard(name)
        if progress is not None:
            self._progress[name] = progress
            if made is not None:
                self._noted[name] = progress

    def _written_progress(self, name: str) -> Iterator[Progress | None]:
        for limit in _HISTORY:
            found = self._history(name, limit)
            yield from (parse_progress(row[1]) for row in found)
            if len(found) < limit:
                return

    def _history(self, name: str, limit: int) -> list[tuple[int, str | None]]:
        """Read the newest commits; which one is the newest is then known, too."""
        history = self.spark.sql(f"DESCRIBE HISTORY {self.names.table(name)} LIMIT {limit}")
        found = [(row["version"], row["userMetadata"]) for row in history.select("version", "userMetadata").collect()]
        self._versions.setdefault(name, found[0][0])
        return found

    def _upgrade(self, name: str, schema: T.StructType) -> None:
        there = set(self.read(name).columns)
        missing = [column for column in schema if column.name not in there]
        table = self.names.table(name)
        if missing:
            written = ", ".join(map(_written, missing))
            with self._committing(name, self.spark, None):
                self.spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({written})")
        properties = self._properties(name)
        self._kept_from[name] = int(properties.get(_CHANGES_FROM, 0))
        if not _CHANGE_FEED.items() <= properties.items():
            self._tell_changes_from(name, self.version(name) + 1)


def _laid_out(builder: DeltaTableBuilder, clustered_by: Sequence[str], partitioned_by: str) -> DeltaTableBuilder:
    if partitioned_by:
        return builder.partitionedBy(partitioned_by)
    return builder.clusterBy(*clustered_by[:4]) if clustered_by else builder


def columns(text: str) -> T.StructType:
    """Write columns as `name type, …` with the type names of `StructType.add`: unlike DDL it needs no session."""
    schema = T.StructType()
    for column in text.split(", "):
        name, kind = column.split(" ")
        schema.add(name, kind)
    return schema


def on_columns(names: Iterable[str]) -> str:
    """Write the condition that source `s` and target `t` agree in these columns."""
    return " AND ".join(f"t.`{column}` = s.`{column}`" for column in names)


def differ(names: Collection[str], sides: tuple[str, str] = ("s", "t")) -> Column:
    """Say whether two sides, source and target unless others are named, have other values in these columns."""
    one, other = (F.struct(*[F.col(f"{side}.`{name}`") for name in names]) for side in sides)
    return ~one.eqNullSafe(other)


def of_window(window_id: str) -> str:
    """Write the condition for a window's rows."""
    return f"window_id = {quoted(window_id)}"


def quoted(text: str) -> str:
    """Write a text as a literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _written(column: T.StructField) -> str:
    comment = column.metadata.get("comment", "")
    described = f" COMMENT {quoted(comment)}" if comment else ""
    return f"`{column.name}` {column.dataType.simpleString()}{described}"


def as_inserts(rows: DataFrame) -> DataFrame:
    """Give rows of a table as if each had just come."""
    return rows.withColumn(CHANGE, F.lit(INSERT))


def _as_changes(rows: DataFrame, version: int) -> DataFrame:
    return as_inserts(rows).withColumn(VERSION, F.lit(version).cast("long"))
