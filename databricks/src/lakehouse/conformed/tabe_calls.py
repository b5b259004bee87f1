"""`silver.tabe_calls`: each attendance of a call, and whether it was passed on."""

from datetime import timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.conformed.local_days import local_day, period_of
from lakehouse.pipelines.kinds.groups import Groups
from lakehouse.pipelines.table import Column, Table

LONGEST_CALL = timedelta(days=2)
"""Attendances of one call begin no further apart; its contract says the same of two records of one key."""


def build(calls: DataFrame) -> DataFrame:
    """Look from each attendance at the next one of its call."""
    begun, ended = F.col("data_hora_inicio"), F.col("data_hora_fim")
    in_order = Window.partitionBy("id_chamada").orderBy("data_hora_inicio", "id_atendimento")
    is_passed_on = F.lead("id_atendimento").over(in_order).isNotNull()
    stays_in_area = F.lead("area_atendimento").over(in_order) == F.col("area_atendimento")
    return calls.select(
        F.col("id_chamada").alias("ID_CHAM"),
        F.col("id_atendimento").alias("ID_ATEN"),
        F.col("id_cliente").alias("ID_CLIE"),
        F.col("id_assistente").alias("ID_ASST"),
        begun.alias("DH_INIC"),
        ended.alias("DH_FIM"),
        F.col("area_atendimento").alias("DS_AREA_ATEN"),
        is_passed_on.alias("IN_TRAF"),
        F.coalesce(is_passed_on & stays_in_area, F.lit(False)).alias("IN_TRAF_INDV"),
        period_of(local_day(begun)).alias("CD_PERI"),
        local_day(begun).alias("DT_INIC"),
        local_day(ended).alias("DT_FIM"),
        "window_id",
    )


TABLE = Table(
    name="tabe_calls",
    comment="What each agent did for a call, one row an attendance.",
    columns=(
        Column("ID_CHAM", "string", "the call", of="calls.id_chamada", required=True),
        Column("ID_ATEN", "string", "the attendance", of="calls.id_atendimento", required=True),
        Column("ID_CLIE", "long", "the client who called", of="calls.id_cliente"),
        Column("ID_ASST", "long", "the agent", of="calls.id_assistente"),
        Column("DH_INIC", "timestamp", "when the agent took it over, UTC", of="calls.data_hora_inicio", required=True),
        Column("DH_FIM", "timestamp", "when the agent passed it on or ended it, UTC", of="calls.data_hora_fim"),
        Column("DS_AREA_ATEN", "string", "the agent's area", of="calls.area_atendimento"),
        Column("IN_TRAF", "boolean", "whether it was passed on: a later attendance of the call exists"),
        Column("IN_TRAF_INDV", "boolean", "whether it was passed on within its area, which the next attendance is of"),
        Column("CD_PERI", "integer", "the month of DT_INIC, such as 202611"),
        Column("DT_INIC", "date", "the day of DH_INIC in São Paulo"),
        Column("DT_FIM", "date", "the day of DH_FIM in São Paulo"),
        Column("window_id", "string", "the window of ingestion", of="calls.window_id", required=True),
    ),
    key=("ID_CHAM", "ID_ATEN"),
    kind=Groups("calls", by=("id_chamada",), time="data_hora_inicio", within=LONGEST_CALL),
    inputs=("calls",),
    build=build,
    clustered_by=("DH_INIC", "ID_CHAM", "ID_ATEN"),
    time="DH_INIC",
    layer="silver",
)
