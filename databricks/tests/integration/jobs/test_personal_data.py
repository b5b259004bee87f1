"""Personal data of a whole run: recognisable values in every personal column, looked for wherever they must not be."""

import json
import logging
import traceback
from datetime import date

import pyarrow as pa
import pytest

from clients import AGENTS, CLIENTS, TABLES, agent, client, parquet, pii_keys
from job_house import row, run_request
from lakehouse.cli import summary
from lakehouse.conformed import dim_clientes
from lakehouse.conformed.history import PII_KEY_VERSION
from lakehouse.follow import Intervals, run
from lakehouse.lake.naming import LAYERS, RESTRICTED
from lakehouse.lookups import BadLookup
from lakehouse.pipelines.catalogue import PIPELINES
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Column, Table

WINDOW, DAY = "call_centre-20261122T100000Z", "20261122"
CANARIES = ("CANARY", "canary", "71318131071", "713.181.310", "1871-03-18", "1871, 3, 18")
PERSON = {
    "nome": "CANARY Nome",
    "cpf": "713.181.310-71",
    "email": "CANARY@example.com",
    "data_nascimento": date(1871, 3, 18),
}

CALLERS = Table(
    name="callers",
    comment="Calls with the token of who called.",
    columns=(
        Column("id_chamada", "string", "call", of="ura.id_chamada", required=True),
        Column("cpf", "string", "token", of="dim_clientes.cpf"),
        PII_KEY_VERSION,
        Column("window_id", "string", "window", of="ura.window_id", required=True),
    ),
    key=("id_chamada",),
    kind=PerRow("ura"),
    inputs=("ura", "dim_clientes"),
    build=lambda ura, dim_clientes: ura.join(dim_clientes, "id_cliente").select(
        "id_chamada", "cpf", "pii_key_version", "window_id"
    ),
    sql="Callers",
)


@pytest.fixture
def call_centre(house, monkeypatch):
    """A lakehouse with a pipeline of the dimensions, and a table of gold and SQL that is joined with clients."""
    monkeypatch.setitem(PIPELINES, "call_centre", Pipeline("call_centre", (*TABLES, CALLERS)))
    house.pii_keys = pii_keys("v1")
    lookups = {name: f"{name}/{DAY}.parquet" for name in ("dim_clientes", "dim_assistentes")}
    house.reference.documents[lookups["dim_assistentes"]] = parquet([agent(1)], AGENTS)
    return house, run_request("ura", feed="call_centre", window_id=WINDOW, lookups=lookups)


def call(number, client_id, **changes):
    return {
        "id_chamada": f"00000000-0000-8000-8000-{number:012d}",
        "id_cliente": client_id,
        "data_hora_inicio": "2026-11-22T07:00:00-03:00",
        "data_hora_fim": "2026-11-22T07:01:00-03:00",
        "autenticado": True,
        "opcoes_navegadas": 2,
        "codigo_opcao": "CRT",
        "derivado_atendimento": False,
        "id_fila": "URA_CRT",
        **changes,
    }


def send(house, *records):
    sent = [row(record, window=WINDOW) for record in records]
    events = [{**one, "properties": {**one["properties"], "contract": "ura/1"}} for one in sent]
    house.send(*events, stream="ura")
    house.close(window=WINDOW, stream="ura", read=len(records), accepted=len(records))


def everything_but_restricted(house):
    """All rows of bronze, silver and gold as text, their Delta logs, and the bytes of the SQL database."""
    texts = {}
    for layer in LAYERS:
        if layer != RESTRICTED:
            texts |= {name: str(house.rows(name)) for name in house.lake.tables(layer)}
            logs = sorted((house.folder / "lake" / layer).glob("*/_delta_log/*.json"))
            texts |= {str(path): path.read_text() for path in logs}
    return texts | {"sql": house.database.read_bytes().decode("latin-1")}


def shown(text):
    return [canary for canary in CANARIES if canary in text]


def test_personal_data_is_in_the_restricted_table_and_nowhere_else(call_centre, caplog, capfd):
    house, request = call_centre
    clients = [
        client(1, **PERSON),
        client(1, **{**PERSON, "nome": "CANARY Twice"}),
        client(2, **{**PERSON, "email": "CANARY" * 21}),
    ]
    house.reference.documents[request.lookups["dim_clientes"]] = parquet(clients, CLIENTS)
    send(house, call(1, 1), call(2, 2), call(3, 1, codigo_opcao="ABC"))

    with caplog.at_level(logging.INFO):
        chain = house.chain(request)
        told = json.dumps(summary(run(request, "follow", chain, house.clock, Intervals()), chain))

    texts = everything_but_restricted(house) | {"log": caplog.text, "output": str(capfd.readouterr()), "summary": told}
    assert {name: shown(text) for name, text in texts.items() if shown(text)} == {}
    assert "1 rows are left out, their email is longer" in caplog.text
    assert house.sql("SELECT cpf, pii_key_version FROM Callers") == [
        (pii_keys("v1").token("cpf", PERSON["cpf"]), "v1"),
    ]
    assert house.rows(dim_clientes.CLEAR_TABLE.lake_name) == [(1, *PERSON.values())]
    assert house.rows("silver.ura_quarantine", "reason") != []


def test_a_file_with_a_broken_date_ends_the_run_without_showing_it(call_centre, caplog, capfd):
    house, request = call_centre
    broken = replace_column(CLIENTS, "data_nascimento", pa.string())
    file = parquet([client(1, **{**PERSON, "data_nascimento": "31/02/1871 CANARY"})], broken)
    house.reference.documents[request.lookups["dim_clientes"]] = file
    send(house, call(1, 1))

    with pytest.raises(BadLookup, match="data_nascimento as string") as refused, caplog.at_level(logging.INFO):
        run(request, "follow", house.chain(request), house.clock, Intervals())

    texts = everything_but_restricted(house) | {"log": caplog.text, "output": str(capfd.readouterr())}
    texts["exception"] = "".join(traceback.format_exception(refused.value))
    assert {name: shown(text) for name, text in texts.items() if shown(text)} == {}


def replace_column(schema, name, kind):
    return schema.set(schema.get_field_index(name), pa.field(name, kind))
