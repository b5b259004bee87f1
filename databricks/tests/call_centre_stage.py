"""A lake for tests of the call centre's tables: silver of its streams as their contracts have it, and the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from gold_stage import DictStore
from lakehouse.lake.naming import Names
from lakehouse.lake.tables import Lake, on_columns
from lakehouse.lookups import Lookups, lookup_contracts
from lakehouse.pipelines.call_centre import PIPELINE
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Table
from lakehouse.streams.contract import Contract, load_contracts
from lakehouse.streams.silver_tables import columns_of

START = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
FIRST, SECOND, THIRD = (f"call_centre-20261122T23{minute}00Z" for minute in (30, 40, 50))
STREAMS = ("ura", "calls", "surveys")
LOOKUPS = frozenset(lookup_contracts())
TABLES = {one.name: one for one in PIPELINE.tables if one.layer == "silver" and LOOKUPS.isdisjoint(one.inputs)}
"""The conformed tables; those of days and of lookups have lakes of their own, see `integration/gold` and dimensions."""

_numbers = count(1)


class Killed(Exception):
    """The process ended here."""


@dataclass
class CallCentreStage:
    """Its schemas are new each time, since a session is shared."""

    spark: SparkSession
    lake: Lake = field(init=False)
    number: int = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        self.lake = Lake(self.spark, Names(schema_prefix=f"call_centre_{self.number}_"))
        self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {self.lake.names.schema('silver')}")
        for stream in STREAMS:
            self.lake.create(f"silver.{stream}", columns_of(contract(stream)), ("id_chamada",))

    def gold(self, dies_before: str = "") -> Gold:
        """Begin a process: what a former one remembered is forgotten. dies_before: the table that it does not make."""
        self.lake = Lake(self.spark, self.lake.names)
        tables = [replace(one, build=_dying(one)) if one.name == dies_before else one for one in TABLES.values()]
        gold = Gold(self.lake, Pipeline(PIPELINE.feed, tuple(tables)), Lookups(self.spark, DictStore(), {}, {}))
        gold.prepare()
        return gold

    def put(self, stream: str, *rows: Mapping[str, Any]) -> None:
        """Let rows come, in one commit."""
        self.lake.append(f"silver.{stream}", self.frame(stream, *rows))

    def change(self, stream: str, *rows: Mapping[str, Any]) -> None:
        """Give rows of these keys other values."""
        merge = self.lake.delta(f"silver.{stream}").alias("t")
        on = merge.merge(self.frame(stream, *rows).alias("s"), on_columns(contract(stream).key))
        self.lake.merge(f"silver.{stream}", on.whenMatchedUpdateAll())

    def frame(self, stream: str, *rows: Mapping[str, Any]) -> DataFrame:
        return frame(self.spark, stream, *rows)

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        """Give what a table holds."""
        return listed(self.lake.read(f"silver.{name}"), TABLES[name], *columns)

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.rows(name) for name in TABLES}

    def built(self) -> dict[str, list[tuple[Any, ...]]]:
        """Give what one build over all of silver makes of each table."""
        read = {stream: self.lake.read(f"silver.{stream}") for stream in STREAMS}
        return {
            name: listed(one.build(**{stream: read[stream] for stream in one.inputs}), one)
            for name, one in TABLES.items()
        }


def frame(spark: SparkSession, stream: str, *rows: Mapping[str, Any]) -> DataFrame:
    """Give rows as silver has them; what is not said is null."""
    schema = columns_of(contract(stream))
    return spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in rows], schema)


def listed(rows: DataFrame, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    names = columns or tuple(one.name for one in table.columns)
    return sorted((tuple(row) for row in rows.select(*names).collect()), key=str)


def contract(stream: str) -> Contract:
    return load_contracts(stream)[-1]


def at(minute: float) -> datetime:
    """Give the time so many minutes after `START`."""
    return START + timedelta(minutes=minute)


def ura(call: str, begun: datetime = START, ended: datetime | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "id_chamada": call,
        "id_cliente": 7,
        "data_hora_inicio": begun,
        "data_hora_fim": ended or begun,
        "autenticado": True,
        "opcoes_navegadas": 3,
        "codigo_opcao": "CRT",
        "derivado_atendimento": True,
        "id_fila": "URA_CRT",
        "window_id": FIRST,
        **changes,
    }


def attendance(call: str, name: str, minute: float = 0, area: str = "Cartões", **changes: Any) -> dict[str, Any]:
    return {
        "id_chamada": call,
        "id_atendimento": name,
        "id_cliente": 7,
        "id_assistente": 3,
        "data_hora_inicio": at(minute),
        "data_hora_fim": at(minute + 4),
        "area_atendimento": area,
        "window_id": FIRST,
        **changes,
    }


def survey(call: str, name: str, minute: float = 0, mark: int = 9, **changes: Any) -> dict[str, Any]:
    return {
        "id_chamada": call,
        "id_pesquisa": name,
        "data_envio": at(minute),
        "nota": mark,
        "window_id": FIRST,
        **changes,
    }


def _dying(table: Table) -> Any:
    def build(**inputs: DataFrame) -> DataFrame:
        raise Killed(table.name, *inputs)

    return build
