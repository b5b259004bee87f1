"""`silver.tabe_ura_anlt`: each call as the voice menu saw it."""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.conformed.local_days import local_day, period_of
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.table import Column, Table


def build(ura: DataFrame) -> DataFrame:
    """Give records of the menu their conformed names."""
    begun, ended = F.col("data_hora_inicio"), F.col("data_hora_fim")
    return ura.select(
        F.col("id_chamada").alias("ID_CHAM"),
        F.col("id_cliente").alias("ID_CLIE"),
        F.col("id_fila").alias("ID_FILA"),
        begun.alias("DH_INIC"),
        ended.alias("DH_FIM"),
        F.col("opcoes_navegadas").cast("int").alias("QT_OPCA_NAVG"),
        F.col("codigo_opcao").alias("CD_ULTI_OPCA"),
        F.col("autenticado").alias("IN_AUTN"),
        F.col("derivado_atendimento").alias("IN_DERV_ATEN"),
        period_of(local_day(begun)).alias("CD_PERI"),
        local_day(begun).alias("DT_INIC"),
        local_day(ended).alias("DT_FIM"),
        _reference_of(F.col("window_id")).alias("DH_REFE_CRGA"),
        "window_id",
    )


def _reference_of(window: Expression) -> Expression:
    """Give when a window began, which its id ends with; null for what is no window of this form (`unknown`)."""
    begun = F.regexp_extract(window, r"-(\d{8}T\d{6})Z$", 1)
    return F.try_to_timestamp(begun, F.lit("yyyyMMdd'T'HHmmss"))


TABLE = Table(
    name="tabe_ura_anlt",
    comment="Calls as the voice menu saw them, one row a call.",
    columns=(
        Column("ID_CHAM", "string", "the call", of="ura.id_chamada", required=True),
        Column("ID_CLIE", "long", "the client who called", of="ura.id_cliente"),
        Column("ID_FILA", "string", "the menu's queue", of="ura.id_fila"),
        Column("DH_INIC", "timestamp", "when the menu answered, UTC", of="ura.data_hora_inicio", required=True),
        Column("DH_FIM", "timestamp", "when the caller hung up or was passed on, UTC", of="ura.data_hora_fim"),
        Column("QT_OPCA_NAVG", "integer", "options of the menu that the caller went through"),
        Column("CD_ULTI_OPCA", "string", "the last option that was chosen", of="ura.codigo_opcao"),
        Column("IN_AUTN", "boolean", "whether the caller proved who they are", of="ura.autenticado"),
        Column(
            "IN_DERV_ATEN", "boolean", "whether the caller was passed on to an agent", of="ura.derivado_atendimento"
        ),
        Column("CD_PERI", "integer", "the month of DT_INIC, such as 202611"),
        Column("DT_INIC", "date", "the day of DH_INIC in São Paulo"),
        Column("DT_FIM", "date", "the day of DH_FIM in São Paulo"),
        Column("DH_REFE_CRGA", "timestamp", "the load's reference: when the window of ingestion began, UTC"),
        Column("window_id", "string", "the window of ingestion", of="ura.window_id", required=True),
    ),
    key=("ID_CHAM",),
    kind=PerRow("ura"),
    inputs=("ura",),
    build=build,
    clustered_by=("DH_INIC", "ID_CHAM"),
    time="DH_INIC",
    layer="silver",
)
