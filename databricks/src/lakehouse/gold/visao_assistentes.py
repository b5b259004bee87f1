"""`gold.visao_assistentes`: by day, area and agent, the calls that were attended and what callers thought of them."""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.conformed.local_days import ZONE, local_day, period_of
from lakehouse.gold.calls import SURVEY_WITHIN, is_within
from lakehouse.gold.figures import PART, SECONDS, mean_seconds, micros_between, per_cent
from lakehouse.gold.recalls import RECALLS_MADE_OF, with_recall
from lakehouse.pipelines.kinds.day import Day, MadeOf, Step
from lakehouse.pipelines.options import Option
from lakehouse.pipelines.table import Column, Table

_GROUP = ("DT_REFE", "DS_AREA", "ID_ASST")
_STANDARD = (9, 6)
"""Promoters from, detractors to: the marks of the Net Promoter Score as others count it."""


def build(tabe_calls: DataFrame, tabe_pesq_ura: DataFrame, nps_promoter_from: int, nps_detractor_to: int) -> DataFrame:
    """Count each agent's calls of a day, each call once however often the agent had it."""
    rated = _with_mark(with_recall(tabe_calls), tabe_pesq_ura)
    day, area = local_day(F.col("DH_INIC")).alias("DT_REFE"), F.col("DS_AREA_ATEN").alias("DS_AREA")
    calls = rated.groupBy(day, area, "ID_ASST", "ID_CHAM").agg(
        F.bool_or("IN_TRAF").alias("is_passed_on"),
        F.bool_or("IN_TRAF_INDV").alias("is_passed_inside"),
        F.bool_or("is_recalled").alias("is_recalled"),
        F.max("VL_NOTA").alias("mark"),
        F.sum(micros_between(F.col("DH_INIC"), F.col("DH_FIM"))).alias("micros"),
        F.count("*").alias("attendances"),
    )
    counted = calls.groupBy(*_GROUP).agg(*_counts(nps_promoter_from, nps_detractor_to))
    return counted.withColumn("CD_PERI", period_of(F.col("DT_REFE")))


def _with_mark(attendances: DataFrame, surveys: DataFrame) -> DataFrame:
    """Give each of a call's attendances the mark of the call's survey."""
    marks = surveys.selectExpr("ID_CHAM AS call", "DT_ENVI", "VL_NOTA")
    of_call = (F.col("ID_CHAM") == F.col("call")) & is_within(SURVEY_WITHIN, "DH_INIC", "DT_ENVI")
    return attendances.join(marks, of_call, "left")


def _counts(promoter_from: int, detractor_to: int) -> list[Expression]:
    calls, mark = F.count("*"), F.col("mark")
    counted = {"TRAF": "is_passed_on", "TRAF_INDV": "is_passed_inside", "RECH": "is_recalled"}
    parts = [
        figure
        for name, flag in counted.items()
        for figure in (F.count_if(flag).alias(f"QT_{name}"), per_cent(F.count_if(flag), calls).alias(f"PC_{name}"))
    ]
    return [
        calls.alias("QT_CHAM_ATEN"),
        *parts,
        mean_seconds(F.sum("micros"), F.sum("attendances")).alias("VL_TEMP_MEDI_OPER"),
        F.count_if(mark >= promoter_from).alias("QT_PRMT"),
        F.count_if((mark < promoter_from) & (mark > detractor_to)).alias("QT_NTRO"),
        F.count_if(mark <= detractor_to).alias("QT_DETR"),
        _score(promoter_from, detractor_to).alias("VL_NPS"),
        _score(*_STANDARD).alias("VL_NPS_PADRAO"),
    ]


def _score(promoter_from: int, detractor_to: int) -> Expression:
    mark = F.col("mark")
    return per_cent(F.count_if(mark >= promoter_from) - F.count_if(mark <= detractor_to), F.count(mark))


OPTIONS = (
    Option("nps_detractor_to", 4, least=1, greatest=9, meaning="the greatest mark of a detractor in VL_NPS"),
    Option(
        "nps_promoter_from",
        6,
        least=2,
        greatest=10,
        above="nps_detractor_to",
        meaning="the least mark of a promoter in VL_NPS",
    ),
)

TABLE = Table(
    name="visao_assistentes",
    comment="Calls that agents attended, by day (America/Sao_Paulo), area and agent.",
    columns=(
        Column("DT_REFE", "date", "the day on which the attendance began, in America/Sao_Paulo", required=True),
        Column("DS_AREA", "string", "the agent's area", of="tabe_calls.DS_AREA_ATEN", required=True),
        Column("ID_ASST", "long", "the agent", of="tabe_calls.ID_ASST", required=True),
        Column("CD_PERI", "integer", "the day's month, yyyyMM"),
        Column("QT_CHAM_ATEN", "long", "calls that the agent attended"),
        Column("QT_TRAF", "long", "those of them that the agent passed on"),
        Column("PC_TRAF", PART, "the same in per cent"),
        Column("QT_TRAF_INDV", "long", "those that the agent passed on to one of the same area"),
        Column("PC_TRAF_INDV", PART, "the same in per cent"),
        Column("QT_RECH", "long", "those after whose end the same client called again within 24 hours"),
        Column("PC_RECH", PART, "the same in per cent"),
        Column("VL_TEMP_MEDI_OPER", SECONDS, "seconds of an attendance, mean"),
        Column("QT_PRMT", "long", "calls whose mark is a promoter's: by default 6 and more"),
        Column("QT_NTRO", "long", "calls whose mark is neither"),
        Column("QT_DETR", "long", "calls whose mark is a detractor's: by default 4 and less"),
        Column("VL_NPS", PART, "promoters less detractors, in per cent of the calls with a mark"),
        Column("VL_NPS_PADRAO", PART, "the same by the usual marks: promoters from 9, detractors to 6"),
    ),
    key=_GROUP,
    kind=Day(
        day="DT_REFE",
        zone=ZONE,
        made_of=(
            RECALLS_MADE_OF,
            MadeOf(
                "tabe_pesq_ura",
                "DT_ENVI",
                before=SURVEY_WITHIN,
                after=SURVEY_WITHIN,
                ways=((Step("tabe_calls", "ID_CHAM", "DH_INIC", SURVEY_WITHIN, SURVEY_WITHIN),),),
            ),
        ),
    ),
    inputs=("tabe_calls", "tabe_pesq_ura"),
    options=OPTIONS,
    build=build,
    sql="visao_assistentes",
)
