"""The call centre's chain, from events to conformed tables and one of days: what is counted, and what people read."""

import pytest

from call_centre_stage import TABLES
from job_house import row
from lakehouse.gold import visao_ura_calls
from lakehouse.lake.tables import Lake
from lakehouse.last_versions import last_versions_of
from lakehouse.pipelines.call_centre import PIPELINE
from lakehouse.pipelines.catalogue import PIPELINES
from lakehouse.pipelines.pipeline import Pipeline

FIRST, SECOND = "call_centre-20261122T100000Z", "call_centre-20261122T101000Z"
CALL = "00000001-0000-8000-8000-000000000000"
VERSIONS = last_versions_of("call_centre")


@pytest.fixture(autouse=True)
def conformed(monkeypatch):
    """Leave the dimensions out, and all days but one: they have tests of their own, and would take most of the time."""
    tables = (*TABLES.values(), visao_ura_calls.TABLE)
    monkeypatch.setitem(PIPELINES, "call_centre", Pipeline("call_centre", tables, PIPELINE.balances))


class Killed(Exception):
    """Stands for the end of the process at a chosen point."""


def dies_after_gold(stage):
    if stage == "gold":
        raise Killed(stage)


def follow(house, window, **more):
    request = house.request("ura", "calls", "surveys", feed="call_centre", window_id=window, lookups={})
    chain = house.chain(request, **more)
    chain.prepare()
    chain.run_pass()
    chain.finish()


def send(house, stream, window, **record):
    properties = {"contract": f"{stream}/1", "slice": f"{window}/0.1"}
    house.send(row({"id_chamada": CALL, **record}, properties=properties), stream=stream)


def attend(house, number, window, minute):
    send(
        house, "calls", window,
        id_atendimento=f"0000000{number}-0000-8000-8000-000000000001", id_cliente=5, id_assistente=number,
        data_hora_inicio=f"2026-11-22T07:{minute}:00-03:00", data_hora_fim=f"2026-11-22T07:{minute}:30-03:00",
        area_atendimento="Cartões",
    )  # fmt: skip


def answer(house, number, window, mark):
    name = f"0000000{number}-0000-8000-8000-000000000002"
    send(house, "surveys", window, id_pesquisa=name, data_envio=f"2026-11-22T07:3{number}:00-03:00", nota=mark)


def test_every_record_is_counted_windows_changed_beside_are_counted_again_and_days_are_made_at_the_end(house):
    send(
        house, "ura", FIRST,
        id_cliente=5, data_hora_inicio="2026-11-22T07:00:00-03:00", data_hora_fim="2026-11-22T07:01:00-03:00",
        autenticado=True, opcoes_navegadas=2, codigo_opcao="CRT", derivado_atendimento=True, id_fila="URA_CRT",
    )  # fmt: skip
    attend(house, 1, FIRST, "10")
    answer(house, 1, FIRST, 9)
    follow(house, FIRST)
    before = {stream: house.counts(FIRST, stream) for stream in ("ura", "calls", "surveys")}
    passed_on = [days(house)]

    attend(house, 2, SECOND, "20")
    answer(house, 2, SECOND, 3)
    with pytest.raises(Killed):
        follow(house, SECOND, on_stage_done=dies_after_gold)
    passed_on.append(days(house))
    follow(house, SECOND)
    passed_on.append(days(house))

    assert [before[stream]["silver_new"] for stream in before] == [1, 1, 1]
    assert (before["ura"]["silver:tabe_ura_anlt"], before["calls"]["silver:tabe_calls"]) == (1, 1)
    assert (before["surveys"]["silver:tabe_pesq_ura"], before["surveys"]["silver:surveys_superseded"]) == (1, 0)
    first, second = (house.counts(window, "surveys") for window in (FIRST, SECOND))
    assert (first["silver:tabe_pesq_ura"], first["silver:surveys_superseded"]) == (0, 1)
    assert (second["silver:tabe_pesq_ura"], second["silver:surveys_superseded"]) == (1, 0)
    assert house.rows("silver.tabe_calls", "ID_ASST", "IN_TRAF", "IN_TRAF_INDV") == [(1, True, True), (2, False, False)]
    assert passed_on == [[(1, 0)], [(1, 0)], [(1, 1)]]
    assert {row[:3] for row in house.rows(VERSIONS)} == said_by_commits(house)


def days(house):
    """Give the calls of each day, and those that were passed on: a pass leaves them, the end of a run does not."""
    return house.sql("SELECT QT_CHAM, QT_TRAF FROM visao_ura_calls")


def said_by_commits(house):
    """Give (table, source, version) as a new process reads them of the tables' own commits."""
    lake = Lake(house.spark, house.lake.names)
    found = [(name, lake.progress(name)) for layer in ("silver", "gold") for name in lake.tables(layer)]
    assert sum(progress is not None for _, progress in found) == 14
    return {
        (name, source, version)
        for name, progress in found
        for source, version in (progress.versions.items() if progress else ())
        if not source.startswith("contracts/")
    }
