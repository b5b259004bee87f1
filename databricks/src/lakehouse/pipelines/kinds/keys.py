"""Which rows of a stream, or of a table that repeats its columns, have some keys."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.kind import Inputs


def keys_of(rows: DataFrame, stream: str, inputs: Inputs) -> DataFrame:
    """Give the columns of the table's key that repeat the stream's, and its time where that does, each as it is."""
    names = key_columns(stream, inputs)
    times = {name: of for name, of in inputs.repeats[stream].items() if name == inputs.time}
    return rows.select(*[F.col(of).alias(name) for name, of in (names | times).items()])


def rows_of(rows: DataFrame, keys: DataFrame, stream: str, inputs: Inputs) -> DataFrame:
    """Give the stream's rows that have one of these keys."""
    return matching(rows, keys, {of: name for name, of in key_columns(stream, inputs).items()})


def matching(rows: DataFrame, keys: DataFrame, names: Mapping[str, str]) -> DataFrame:
    """Give the rows for which `keys` has one that agrees. names: columns of the rows, and how `keys` calls them."""
    wanted = keys.select(*[F.col(name).alias(f"_{name}") for name in names.values()]).distinct()
    agree = [F.col(own) == F.col(f"_{name}") for own, name in names.items()]
    return rows.join(wanted, agree, "left_semi")


def own_keys(rows: DataFrame, inputs: Inputs) -> DataFrame:
    """Give the keys of rows of the table, and their time where it has one."""
    return rows.select(*inputs.key, *([inputs.time] if inputs.time and inputs.time not in inputs.key else []))


def key_columns(stream: str, inputs: Inputs) -> dict[str, str]:
    """Give the columns of the table's key that repeat the stream's, and which."""
    return {name: inputs.repeats[stream][name] for name in inputs.key if name in inputs.repeats[stream]}
