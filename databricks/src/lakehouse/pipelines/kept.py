"""Keeps what a kind gave while it is written, and finds out where its rows lie."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.pipelines.kinds.kind import NewRows, Rewritten, RowsOfKeys, RowsOfValues
from lakehouse.pipelines.table import Table

type Bounds = Mapping[str, tuple[object, object]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BOUNDED = (T.StringType, T.IntegralType, T.DecimalType, T.DateType, T.TimestampType)


@contextmanager
def kept(rewritten: Rewritten | None, table: Table) -> Iterator[Rewritten | None]:
    """Give it to be read as often as its writers like, as targets expect it; None where there is nothing to write."""
    if rewritten is None:
        yield None
        return
    rewritten.rows.persist()
    try:
        yield _ready(rewritten, table)
    finally:
        rewritten.rows.unpersist()


def _ready(rewritten: Rewritten, table: Table) -> Rewritten | None:
    """Keys may come from the table itself: Spark would find them anew once it is written, were they only persisted."""
    match rewritten:
        case NewRows(rows):
            return None if rows.isEmpty() else rewritten
        case RowsOfKeys(rows, found):
            keys = found.localCheckpoint(eager=False)
            bounds = bounds_of(keys, table)
            return None if bounds is None else RowsOfKeys(rows, keys.select(*table.key).distinct(), bounds)
        case RowsOfValues():
            return rewritten


def bounds_of(keys: DataFrame, table: Table) -> Bounds | None:
    """Give by column the least and the greatest value; None where there is no row."""
    kinds = {field.name: field.dataType for field in table.schema if field.name in keys.columns}
    bounded = [name for name, kind in kinds.items() if isinstance(kind, _BOUNDED)]
    ends = [_plain(end(name), kinds[name]) for name in bounded for end in (F.min, F.max)]
    (row,) = keys.agg(F.count(F.lit(1)), *ends).collect()
    if not row[0]:
        return None
    pairs = zip(bounded, row[1::2], row[2::2], strict=True)
    return {name: (_value(least, kinds[name]), _value(greatest, kinds[name])) for name, least, greatest in pairs}


def _plain(end: Column, kind: T.DataType) -> Column:
    """Spark gives times in this machine's zone without saying so, hence as microseconds."""
    return F.unix_micros(end) if isinstance(kind, T.TimestampType) else end


def _value(end: object, kind: T.DataType) -> object:
    return _EPOCH + timedelta(microseconds=int(str(end))) if isinstance(kind, T.TimestampType) else end
