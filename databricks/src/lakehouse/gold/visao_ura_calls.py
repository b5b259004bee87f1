"""`gold.visao_ura_calls`: by day and queue, what the voice menu did for callers and what became of their calls."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.conformed.local_days import ZONE, local_day, period_of
from lakehouse.gold.calls import CALL_WITHIN, is_within
from lakehouse.gold.figures import PART, SECONDS, mean, mean_seconds, micros_between
from lakehouse.pipelines.kinds.day import OWN_DAY, Day, MadeOf, Step
from lakehouse.pipelines.table import Column, Table

_GROUP = ("DT_REFE", "ID_FILA")


def build(tabe_ura_anlt: DataFrame, tabe_calls: DataFrame) -> DataFrame:
    """Count the menu's calls, and those that agents attended."""
    grouped = _calls(tabe_ura_anlt, tabe_calls).groupBy(*_GROUP)
    options, served = F.sum("QT_OPCA_NAVG"), ~F.col("IN_DERV_ATEN")
    figures = grouped.agg(
        F.count("*").alias("QT_CHAM"),
        mean(options, F.count("*")).alias("NR_MED_OPCA_NAVG"),
        mean(F.sum(F.when(served, F.col("QT_OPCA_NAVG"))), F.count_if(served)).alias("NR_MED_OPCA_AUTO_SERV"),
        mean(F.sum(F.when(~served, F.col("QT_OPCA_NAVG"))), F.count_if(~served)).alias("NR_MED_OPCA_DERV"),
        F.count_if("IN_AUTN").alias("QT_AUTN"),
        F.count_if("IN_DERV_ATEN").alias("QT_DERV_ATEN"),
        F.count("last").alias("QT_CHAM_ATEN_HUMN"),
        F.count_if("is_passed_on").alias("QT_TRAF"),
        F.count_if("is_passed_inside").alias("QT_TRAF_INDV"),
        mean_seconds(F.sum("duration"), F.count("*")).alias("NR_MEDI_TEMP_CHAM"),
    )
    return figures.withColumn("CD_PERI", period_of(F.col("DT_REFE")))


def _calls(menu: DataFrame, attendances: DataFrame) -> DataFrame:
    """Give each call of the menu once, with what its attendances say of it; `last` is null where there is none."""
    parts = attendances.selectExpr("ID_CHAM AS call", "DH_INIC AS began", "DH_FIM AS ended", "IN_TRAF", "IN_TRAF_INDV")
    both = (F.col("ID_CHAM") == F.col("call")) & is_within(CALL_WITHIN, "DH_INIC", "began")
    own = ("ID_CHAM", "ID_FILA", "DH_INIC", "DH_FIM", "QT_OPCA_NAVG", "IN_AUTN", "IN_DERV_ATEN")
    calls = menu.join(parts, both, "left").groupBy(*own)
    found = calls.agg(
        F.max("ended").alias("last"),
        F.bool_or("IN_TRAF").alias("is_passed_on"),
        F.bool_or("IN_TRAF_INDV").alias("is_passed_inside"),
    )
    end = F.coalesce("last", "DH_FIM")
    return found.withColumns(
        {"DT_REFE": local_day(F.col("DH_INIC")), "duration": micros_between(F.col("DH_INIC"), end)}
    )


TABLE = Table(
    name="visao_ura_calls",
    comment="The voice menu's calls by day (America/Sao_Paulo) and queue.",
    columns=(
        Column("DT_REFE", "date", "the day on which the menu answered, in America/Sao_Paulo", required=True),
        Column("ID_FILA", "string", "the menu's queue", of="tabe_ura_anlt.ID_FILA", required=True),
        Column("CD_PERI", "integer", "the day's month, yyyyMM"),
        Column("QT_CHAM", "long", "calls"),
        Column("NR_MED_OPCA_NAVG", PART, "options that a call went through, mean"),
        Column("NR_MED_OPCA_AUTO_SERV", PART, "the same of calls that were not passed on to an agent"),
        Column("NR_MED_OPCA_DERV", PART, "the same of calls that were passed on"),
        Column("QT_AUTN", "long", "calls whose caller proved who they are"),
        Column("QT_DERV_ATEN", "long", "calls that were passed on to an agent"),
        Column("QT_CHAM_ATEN_HUMN", "long", "calls that an agent attended"),
        Column("QT_TRAF", "long", "calls that an agent passed on"),
        Column("QT_TRAF_INDV", "long", "calls that an agent passed on to one of the same area"),
        Column("NR_MEDI_TEMP_CHAM", SECONDS, "seconds from the menu's answer to the call's end, mean"),
    ),
    key=_GROUP,
    kind=Day(
        day="DT_REFE",
        zone=ZONE,
        made_of=(
            MadeOf("tabe_ura_anlt", "DH_INIC", ways=(OWN_DAY,)),
            MadeOf(
                "tabe_calls",
                "DH_INIC",
                before=CALL_WITHIN,
                after=CALL_WITHIN,
                ways=((Step("tabe_ura_anlt", "ID_CHAM", "DH_INIC", CALL_WITHIN, CALL_WITHIN),),),
            ),
        ),
    ),
    inputs=("tabe_ura_anlt", "tabe_calls"),
    build=build,
    sql="visao_ura_calls",
)
