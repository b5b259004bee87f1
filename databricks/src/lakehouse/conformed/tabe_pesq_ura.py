"""`silver.tabe_pesq_ura`: the mark that a caller gave; of several surveys of a call the latest one counts.

The others are in `silver.surveys_superseded`, so that every survey is accounted for.
"""

from datetime import timedelta

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.conformed.local_days import local_day, period_of
from lakehouse.pipelines.kinds.groups import Groups
from lakehouse.pipelines.table import Column, Table

LONGEST_WAIT = timedelta(days=7)
"""A later survey of a call comes within this time of an earlier one."""


def build(surveys: DataFrame) -> DataFrame:
    """Take the latest survey of each call; whether the call is there already does not matter."""
    period = period_of(local_day(F.col("data_envio"))).alias("CD_PERI")
    return surveys.withColumn("place", _place()).where("place = 1").select(*_names(), period, "window_id")


def build_superseded(surveys: DataFrame) -> DataFrame:
    """Take the surveys after which another one of their call came."""
    return surveys.withColumn("place", _place()).where("place > 1").select(*_names(), "window_id")


def _place() -> Expression:
    latest_first = [F.desc("data_envio"), F.desc("id_pesquisa")]
    return F.row_number().over(Window.partitionBy("id_chamada").orderBy(*latest_first))


def _names() -> list[Expression]:
    return [
        F.col("id_chamada").alias("ID_CHAM"),
        F.col("id_pesquisa").alias("ID_PESQ"),
        F.col("data_envio").alias("DT_ENVI"),
        F.col("nota").cast("int").alias("VL_NOTA"),
    ]


_COLUMNS = (
    Column("ID_CHAM", "string", "the call", of="surveys.id_chamada", required=True),
    Column("ID_PESQ", "string", "the survey", of="surveys.id_pesquisa", required=True),
    Column("DT_ENVI", "timestamp", "when the caller answered, UTC", of="surveys.data_envio", required=True),
    Column("VL_NOTA", "integer", "the mark, 1 to 10, 10 is the best"),
)
_PERIOD = Column("CD_PERI", "integer", "the month of DT_ENVI in São Paulo, such as 202611")
_WINDOW = Column("window_id", "string", "the window of ingestion", of="surveys.window_id", required=True)
_KIND = Groups("surveys", by=("id_chamada",), time="data_envio", within=LONGEST_WAIT)

TABLE = Table(
    name="tabe_pesq_ura",
    comment="The survey that counts of each call, one row a call.",
    columns=(*_COLUMNS, _PERIOD, _WINDOW),
    key=("ID_CHAM",),
    kind=_KIND,
    inputs=("surveys",),
    build=build,
    clustered_by=("DT_ENVI", "ID_CHAM"),
    time="DT_ENVI",
    layer="silver",
)

SUPERSEDED = Table(
    name="surveys_superseded",
    comment="Surveys that do not count, since a later one of their call does, one row a survey.",
    columns=(*_COLUMNS, _WINDOW),
    key=("ID_PESQ",),
    kind=_KIND,
    inputs=("surveys",),
    build=build_superseded,
    clustered_by=("DT_ENVI", "ID_CHAM"),
    time="DT_ENVI",
    layer="silver",
)
