"""`silver.dim_assistentes`: the call centre's agents and under whom they work, from when to when."""

from pyspark.sql import DataFrame

from lakehouse.conformed.history import VALIDITY
from lakehouse.pipelines.kinds.type2 import VALID_FROM, Type2
from lakehouse.pipelines.table import Column, Table

LOOKUP = "dim_assistentes"


def build(dim_assistentes: DataFrame) -> DataFrame:
    """Take the agents as the day's file has them."""
    return dim_assistentes


TABLE = Table(
    name="dim_assistentes",
    comment="Agents of the call centre, a row for each time in which nothing of an agent changed.",
    columns=(
        Column("id_assistente", "long", "the agent", of="dim_assistentes.id_assistente", required=True),
        Column("matricula", "string", "the agent's staff number", of="dim_assistentes.matricula"),
        Column("area_atendimento", "string", "the agent's area", of="dim_assistentes.area_atendimento"),
        Column("id_supervisor", "long", "the supervisor, 1 to 64", of="dim_assistentes.id_supervisor"),
        Column("id_coordenador", "long", "the coordinator, 1 to 16", of="dim_assistentes.id_coordenador"),
        Column("id_gerente", "long", "the manager, 1 to 4", of="dim_assistentes.id_gerente"),
        Column("id_diretor", "long", "the director, 1 or 2", of="dim_assistentes.id_diretor"),
        Column("dt_admissao", "date", "since when the agent works here", of="dim_assistentes.dt_admissao"),
        *VALIDITY,
    ),
    key=("id_assistente", VALID_FROM),
    kind=Type2(LOOKUP),
    inputs=(LOOKUP,),
    build=build,
    layer="silver",
)
