"""Rows of the call centre's conformed tables, as its day tables are made of."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame, SparkSession

from lakehouse.lake.tables import columns

ZONE = ZoneInfo("America/Sao_Paulo")
SCHEMAS = {
    "tabe_calls": columns(
        "ID_CHAM string, ID_ATEN string, ID_CLIE long, ID_ASST long, DH_INIC timestamp, DH_FIM timestamp, "
        "DS_AREA_ATEN string, IN_TRAF boolean, IN_TRAF_INDV boolean"
    ),
    "tabe_ura_anlt": columns(
        "ID_CHAM string, ID_CLIE long, ID_FILA string, DH_INIC timestamp, DH_FIM timestamp, QT_OPCA_NAVG integer, "
        "IN_AUTN boolean, IN_DERV_ATEN boolean"
    ),
    "tabe_pesq_ura": columns("ID_CHAM string, ID_PESQ string, DT_ENVI timestamp, VL_NOTA integer"),
}
KEYS = {"tabe_calls": ("ID_CHAM", "ID_ATEN"), "tabe_ura_anlt": ("ID_CHAM",), "tabe_pesq_ura": ("ID_CHAM",)}


def local(text: str) -> datetime:
    """Read a time as the clocks of São Paulo show it, or one with its offset."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def attendance(call: str, start: str, end: str = "", *, agent: int = 1, client: int = 1, **changes: Any) -> Any:
    """An attendance, of five minutes if its end is not given; its id is its agent's and its start's."""
    began = local(start)
    return {
        "ID_CHAM": call,
        "ID_ATEN": f"{agent} {start}",
        "ID_CLIE": client,
        "ID_ASST": agent,
        "DH_INIC": began,
        "DH_FIM": local(end) if end else began + timedelta(minutes=5),
        "DS_AREA_ATEN": "Cobrança",
        "IN_TRAF": False,
        "IN_TRAF_INDV": False,
        **changes,
    }


def menu(call: str, start: str, end: str = "", **changes: Any) -> Any:
    """What the voice menu did for a call: a minute, if its end is not given."""
    began = local(start)
    return {
        "ID_CHAM": call,
        "ID_CLIE": 1,
        "ID_FILA": "URA_PIX",
        "DH_INIC": began,
        "DH_FIM": local(end) if end else began + timedelta(minutes=1),
        "QT_OPCA_NAVG": 3,
        "IN_AUTN": True,
        "IN_DERV_ATEN": False,
        **changes,
    }


def survey(call: str, sent: str, mark: int, **changes: Any) -> Any:
    return {"ID_CHAM": call, "ID_PESQ": f"of {call}", "DT_ENVI": local(sent), "VL_NOTA": mark, **changes}


def frame(spark: SparkSession, name: str, rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """Make the rows of a conformed table."""
    schema = SCHEMAS[name]
    return spark.createDataFrame([tuple(row[column] for column in schema.names) for row in rows], schema)
