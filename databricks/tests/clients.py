"""Files of the call centre's dimensions for tests, and a lakehouse that takes in one day after another."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from gold_stage import DictStore
from lakehouse.conformed import dim_assistentes, dim_clientes
from lakehouse.lake.tables import Lake
from lakehouse.lookups import LookupContract, Lookups, lookup_contracts
from lakehouse.personal_data import PiiKeys, parse_pii_keys
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Table

CLIENTS, AGENTS = (
    pa.schema(
        [
            ("id_cliente", pa.int64()),
            ("nome", pa.string()),
            ("cpf", pa.string()),
            ("email", pa.string()),
            ("data_nascimento", pa.date32()),
            ("sexo", pa.string()),
            ("estado", pa.string()),
            ("cidade", pa.string()),
            ("segmento", pa.string()),
            ("dt_cadastro", pa.date32()),
        ]
    ),
    pa.schema(
        [
            ("id_assistente", pa.int64()),
            ("matricula", pa.string()),
            ("area_atendimento", pa.string()),
            *((f"id_{name}", pa.int64()) for name in ("supervisor", "coordenador", "gerente", "diretor")),
            ("dt_admissao", pa.date32()),
        ]
    ),
)
TABLES = (dim_clientes.TABLE, dim_clientes.CLEAR_TABLE, dim_assistentes.TABLE)


def client(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id_cliente": number,
        "nome": f"Ana {number}",
        "cpf": f"529.982.247-{number:02d}",
        "email": f"ana{number}@example.com",
        "data_nascimento": date(1990, 2, 1),
        "sexo": "F",
        "estado": "SP",
        "cidade": "São Paulo",
        "segmento": "Varejo",
        "dt_cadastro": date(2020, 1, 1),
        **changes,
    }


def agent(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id_assistente": number,
        "matricula": f"M{number}",
        "area_atendimento": "Cartões",
        "id_supervisor": 1,
        "id_coordenador": 1,
        "id_gerente": 1,
        "id_diretor": 1,
        "dt_admissao": date(2020, 1, 1),
        **changes,
    }


def parquet(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> bytes:
    sink = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), sink)
    return sink.getvalue()


def secret(*versions: str) -> str:
    """The secret with a key for each of these versions."""
    keys = [base64.b64encode(version.encode().ljust(32, b"k")).decode() for version in versions]
    return json.dumps({"keys": [{"version": one, "key": key} for one, key in zip(versions, keys, strict=True)]})


def pii_keys(*versions: str) -> PiiKeys:
    return parse_pii_keys(secret(*versions))


@dataclass
class Days:
    """Lets days come, each in a process of its own."""

    spark: SparkSession
    tables: Sequence[Table] = (dim_clientes.TABLE,)
    keys: PiiKeys | None = field(default_factory=lambda: pii_keys("v1"))
    contracts: Mapping[str, LookupContract] = field(default_factory=lookup_contracts)
    store: DictStore = field(default_factory=DictStore)

    def come(self, day: str, clients: Sequence[Mapping[str, Any]], agents: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write the day's files and let a window of it run."""
        self.put("dim_clientes", day, parquet(clients, CLIENTS))
        self.put("dim_assistentes", day, parquet(agents, AGENTS))
        self.run(day)

    def put(self, lookup: str, day: str, document: bytes) -> None:
        self.store.documents[f"{lookup}/{day}.parquet"] = document

    def run(self, day: str) -> None:
        self.gold(day).run_pass(_window(day))

    def rerun(self, day: str) -> None:
        self.gold(day).rerun(_window(day))

    def gold(self, day: str) -> Gold:
        """Begin a process of a run that is given the day's files."""
        names = {name for table in self.tables for name in table.inputs}
        paths = {name: f"{name}/{day}.parquet" for name in names}
        lookups = Lookups(self.spark, self.store, paths, self.contracts, self.keys)
        gold = Gold(Lake(self.spark), Pipeline("call_centre", tuple(self.tables)), lookups)
        gold.prepare()
        return gold

    def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        return sorted(map(tuple, Lake(self.spark).read(table.lake_name).select(*columns).collect()), key=str)

    def writes(self, table: Table) -> list[dict[str, Any]]:
        """Give what each commit that wrote rows did, the oldest first."""
        history = self.spark.sql(f"DESCRIBE HISTORY {table.lake_name}").where("operation IN ('WRITE', 'MERGE')")
        return [row["operationMetrics"] for row in sorted(history.select("version", "operationMetrics").collect())]


def _window(day: str) -> str:
    return f"call_centre-{day}T120000Z"
