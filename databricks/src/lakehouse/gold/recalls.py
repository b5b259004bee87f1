"""Which attendances belong to a call after whose end the same client called again."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.gold.calls import CALL_WITHIN, RECALL_WITHIN, is_within, micros
from lakehouse.pipelines.kinds.day import OWN_DAY, MadeOf, Step

RECALLS_MADE_OF = MadeOf(
    "tabe_calls",
    "DH_INIC",
    before=2 * CALL_WITHIN,
    after=CALL_WITHIN + RECALL_WITHIN,
    ways=(
        OWN_DAY,
        (Step("tabe_calls", "ID_CHAM", "DH_INIC", CALL_WITHIN, CALL_WITHIN),),
        (
            Step("tabe_calls", "ID_CLIE", "DH_FIM", RECALL_WITHIN, CALL_WITHIN),
            Step("tabe_calls", "ID_CHAM", "DH_INIC", CALL_WITHIN, CALL_WITHIN),
        ),
    ),
)
"""How `with_recall` depends on attendances.

A row says something of the end of its own call; and of when its call starts, which is at it or at a later row of the
call: that decides about calls of the client that ended up to 24 hours before, and so about all their attendances.
"""


def with_recall(attendances: DataFrame) -> DataFrame:
    """Add `is_recalled`: another call of the client starts after the end of this row's call, at most 24 hours later.

    A call ends with the last of its attendances to end, and starts with its first; what one client had of it counts.
    """
    reach, of_call = micros(CALL_WITHIN), Window.partitionBy("ID_CHAM", "ID_CLIE").orderBy(F.unix_micros("DH_INIC"))
    end = F.max("DH_FIM").over(of_call.rangeBetween(-reach, reach))
    is_first = F.col("DH_INIC") == F.min("DH_INIC").over(of_call.rangeBetween(-reach, 0))
    rows = attendances.withColumns({"call_end": end, "is_first": is_first})
    ends = rows.withColumns({"at": F.unix_micros("call_end"), "start_of": F.lit(None).cast("string")})
    starts = rows.where("is_first").withColumns({"at": F.unix_micros("DH_INIC"), "start_of": F.col("ID_CHAM")})
    both = ends.withColumn("is_end", F.lit(True)).unionByName(starts.withColumn("is_end", F.lit(False)))
    found = both.withColumn("is_recalled", _another_starts()).where("is_end")
    return found.select(*attendances.columns, "is_recalled")


def _another_starts() -> Column:
    """Say whether another call of the client starts soon after: by a window, since a join would pair all with all."""
    soon = Window.partitionBy("ID_CLIE").orderBy("at").rangeBetween(1, micros(RECALL_WITHIN))
    least, greatest = F.min("start_of").over(soon), F.max("start_of").over(soon)
    other = (least != F.col("ID_CHAM")) | (greatest != F.col("ID_CHAM"))
    return F.coalesce(other, F.lit(False)) & is_within(CALL_WITHIN, "DH_INIC", "call_end")
