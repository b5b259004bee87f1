"""Brings a table's tokens up to the newest key: the row is the same as before, so it is no new version of it.

Spark's own functions could make an HMAC too, but then the keys would stand in the plans of queries, which are logged.
"""

from collections.abc import Mapping

from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.lake.tables import Lake
from lakehouse.lookups import LookupContract, Lookups
from lakehouse.personal_data import KEY_VERSION
from lakehouse.pipelines.kinds.kind import RowsOfKeys
from lakehouse.pipelines.table import Table


def renewed(lake: Lake, table: Table, lookups: Lookups) -> RowsOfKeys | None:
    """Give the rows whose tokens were made with older keys alone, with new tokens; None where there are none.

    Raises BadKeys where a key is gone that tokens were made with.
    """
    tokens, keys = tokens_of(table, lookups.contracts), lookups.keys
    if not tokens or keys is None or lake.is_blank(table.lake_name):
        return None
    old = lake.read(table.lake_name).where(F.col(KEY_VERSION) != keys.current)
    versions = [row[0] for row in old.select(KEY_VERSION).distinct().collect()]
    if not versions:
        return None
    keys.refuse_unknown(versions)
    renew = F.udf(keys.renewed, T.StringType(), useArrow=False)
    values = {name: renew(F.col(name), F.col(KEY_VERSION)) for name in tokens} | {KEY_VERSION: F.lit(keys.current)}
    rows = old.select(*[values.get(name, F.col(name)).alias(name) for name in table.schema.names]).localCheckpoint()
    return RowsOfKeys(rows, rows.select(*table.key))


def tokens_of(table: Table, contracts: Mapping[str, LookupContract]) -> list[str]:
    """Name the table's columns that repeat personal ones of lookups."""
    if table.is_restricted:
        return []
    return [
        name
        for lookup, columns in table.repeats.items()
        for name, of in columns.items()
        if lookup in contracts and of in contracts[lookup].personal
    ]
