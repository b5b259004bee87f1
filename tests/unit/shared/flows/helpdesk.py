"""A drawn feed with one daily lookup, dim_clientes, of three clients; each day another one has a new e-mail."""

from datetime import date

import pyarrow as pa

from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Dimension, Drawing, Drawn, Feed, Stream

TYPES = {
    "id_cliente": pa.int64(),
    "nome": pa.string(),
    "cpf": pa.string(),
    "email": pa.string(),
    "data_nascimento": pa.date32(),
    "sexo": pa.string(),
    "estado": pa.string(),
    "cidade": pa.string(),
    "segmento": pa.string(),
    "dt_cadastro": pa.date32(),
}
POOL = Pool(1, {"nome": pa.array(["Ana Canary", "Bia Canary", "Caio Canary"])})


def clients(pool: Pool, day: date) -> pa.Table:
    """Give the clients of a day, all of them with canaries in their personal columns."""
    numbers = range(len(pool.columns["nome"]))
    values = {
        "id_cliente": list(numbers),
        "nome": pool.columns["nome"],
        "cpf": [f"canary-{number}" for number in numbers],
        "email": [f"canary{number}-{day if day.day % 3 == number else 0}@a.example" for number in numbers],
        "data_nascimento": [date(1980, 1, 1 + number) for number in numbers],
        "sexo": ["F", "F", "M"],
        "estado": ["SP"] * 3,
        "cidade": ["Santos"] * 3,
        "segmento": ["Prime"] * 3,
        "dt_cadastro": [date(2020, 1, 1)] * 3,
    }
    return pa.table({name: pa.array(values[name], kind) for name, kind in TYPES.items()})


def feed(make=clients) -> Feed:
    """Give the feed, whose clients another function may make."""
    return Feed(
        name="helpdesk",
        streams=(Stream("ura/1"),),
        source=Drawn(1, lambda seed, progress: POOL, lambda pool: lambda position: {}),
        lookups=("dim_clientes",),
        dimensions=(Dimension("dim_clientes", make),),
        zone="America/Sao_Paulo",
        daily_gold=True,
    )


def drawing(name, drawn) -> Drawing:
    """Give the feed ready to draw."""
    return Drawing(POOL, drawn.draw(POOL))
