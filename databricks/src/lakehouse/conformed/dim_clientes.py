"""The call centre's clients: their history with tokens for whoever may read silver, their clear text for very few."""

from pyspark.sql import DataFrame

from lakehouse.conformed.history import PII_KEY_VERSION, VALIDITY
from lakehouse.pipelines.kinds.snapshot import Snapshot
from lakehouse.pipelines.kinds.type2 import VALID_FROM, Type2
from lakehouse.pipelines.table import Column, Table

LOOKUP = "dim_clientes"


def build(dim_clientes: DataFrame) -> DataFrame:
    """Take the clients as the day's file has them."""
    return dim_clientes


_ID = Column("id_cliente", "long", "the client", of="dim_clientes.id_cliente", required=True)

TABLE = Table(
    name="dim_clientes",
    comment="Clients of the call centre, a row for each time in which nothing of a client changed; tokens for what is "
    "personal.",
    columns=(
        _ID,
        Column("nome", "string", "token of the full name", of="dim_clientes.nome"),
        Column("cpf", "string", "token of the taxpayer's number, the same in every table", of="dim_clientes.cpf"),
        Column("email", "string", "token of the e-mail address", of="dim_clientes.email"),
        Column("data_nascimento", "string", "token of the date of birth", of="dim_clientes.data_nascimento"),
        Column("sexo", "string", "F or M", of="dim_clientes.sexo"),
        Column("estado", "string", "federal unit, such as SP", of="dim_clientes.estado"),
        Column("cidade", "string", "a city of that federal unit", of="dim_clientes.cidade"),
        Column("segmento", "string", "the bank's segment", of="dim_clientes.segmento"),
        Column("dt_cadastro", "date", "since when the person is a client", of="dim_clientes.dt_cadastro"),
        PII_KEY_VERSION,
        *VALIDITY,
    ),
    key=("id_cliente", VALID_FROM),
    kind=Type2(LOOKUP),
    inputs=(LOOKUP,),
    build=build,
    layer="silver",
)


def build_clear(dim_clientes: DataFrame) -> DataFrame:
    """Take what is personal of the clients as the day's file has them."""
    return dim_clientes.select(*[column.name for column in CLEAR_TABLE.columns])


CLEAR_TABLE = Table(
    name="dim_clientes_pii",
    comment="What is personal of the clients of the newest file, in clear text; its schema's grants protect it.",
    columns=(
        _ID,
        Column("nome", "string", "full name", of="dim_clientes.nome"),
        Column("cpf", "string", "number of the taxpayer", of="dim_clientes.cpf"),
        Column("email", "string", "e-mail address", of="dim_clientes.email"),
        Column("data_nascimento", "date", "date of birth", of="dim_clientes.data_nascimento"),
    ),
    key=("id_cliente",),
    kind=Snapshot(LOOKUP),
    inputs=(LOOKUP,),
    build=build_clear,
    layer="restricted",
)
