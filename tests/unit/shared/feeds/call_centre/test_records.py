"""What a day of calls looks like: its contracts, what joins with what, and how often each thing happens."""

import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from shared.feeds.call_centre import tables
from shared.feeds.call_centre.dimensions import dimension

STREAMS = ("ura", "calls", "surveys")
CONTRACTS = Path(__file__).parents[5] / "contracts"
TIMES = ("data_hora_inicio", "data_hora_fim", "data_envio")


def contract(stream):
    return json.loads((CONTRACTS / f"{stream}.v1.schema.json").read_text(encoding="utf-8"))


def by_call(records):
    """Give the attendances of each call, in the order in which they were drawn."""
    calls = defaultdict(list)
    for record in records["calls"]:
        calls[record["id_chamada"]].append(record)
    return calls


def instant(text):
    return datetime.fromisoformat(text)


def share(flags):
    flags = list(flags)
    return sum(flags) / len(flags)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_is_of_its_contract(records, stream):
    validator = jsonschema.Draft202012Validator(contract(stream))

    breaches = [error.message for record in records[stream][:3000] for error in validator.iter_errors(record)]

    assert breaches == []


@pytest.mark.parametrize("stream", STREAMS)
def test_columns_stand_in_the_order_of_the_contract(records, stream):
    assert {tuple(record) for record in records[stream]} == {tuple(contract(stream)["properties"])}


@pytest.mark.parametrize("stream", STREAMS)
def test_times_are_local_with_the_offset_of_their_day(records, stream):
    texts = [record[name] for record in records[stream][::7] for name in TIMES if name in record]

    written = [instant(text).astimezone(ZoneInfo(tables.ZONE)).isoformat(timespec="milliseconds") for text in texts]

    assert texts == written
    assert {text[-6:] for text in texts} == {"-03:00"}


@pytest.mark.parametrize("stream", STREAMS)
def test_the_partition_key_is_the_call(drawn, records, stream):
    assert contract(stream)["x-partition-key"] == "id_chamada"
    assert drawn[stream].keys.to_pylist() == [record["id_chamada"] for record in records[stream]]


@pytest.mark.parametrize("stream", STREAMS)
def test_keys_are_written_once_each(drawn, stream):
    names = drawn[stream].keys.dictionary.to_pylist()

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("stream", STREAMS)
def test_each_line_ends_in_a_newline_and_holds_no_other(drawn, stream):
    lines = drawn[stream].lines.to_pylist()

    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)


def test_no_id_is_given_twice(records):
    ids = [
        *(record["id_chamada"] for record in records["ura"]),
        *(record["id_atendimento"] for record in records["calls"]),
        *(record["id_pesquisa"] for record in records["surveys"]),
    ]

    assert len(set(ids)) == len(ids)


def test_only_calls_that_were_passed_on_are_attended_and_all_of_them_are(records):
    passed_on = {record["id_chamada"] for record in records["ura"] if record["derivado_atendimento"]}

    assert by_call(records).keys() == passed_on


def test_a_call_is_one_clients_in_all_streams(records):
    client = {record["id_chamada"]: record["id_cliente"] for record in records["ura"]}

    assert all(record["id_cliente"] == client[record["id_chamada"]] for record in records["calls"])


def test_clients_and_agents_are_those_of_the_lookups(pool, records):
    day = date(2026, 11, 27)
    clients = set(dimension("dim_clientes", pool, day)["id_cliente"].to_pylist())
    agents = set(dimension("dim_assistentes", pool, day)["id_assistente"].to_pylist())

    assert {record["id_cliente"] for record in records["ura"]} <= clients
    assert {record["id_assistente"] for record in records["calls"]} == agents


def test_the_area_is_the_agents_on_the_local_day_of_the_attendance(pool, records):
    days = {instant(record["data_hora_inicio"]).date() for record in records["calls"]}
    area = {day: dict(areas(pool, day)) for day in days}

    assert len(days) == 2
    assert area[min(days)] != area[max(days)]
    for record in records["calls"]:
        day = instant(record["data_hora_inicio"]).date()
        assert record["area_atendimento"] == area[day][record["id_assistente"]]


def areas(pool, day):
    agents = dimension("dim_assistentes", pool, day)
    return zip(agents["id_assistente"].to_pylist(), agents["area_atendimento"].to_pylist(), strict=True)


def test_the_queue_is_that_of_the_option(records):
    assert all(record["id_fila"] == f"URA_{record['codigo_opcao']}" for record in records["ura"])


def test_the_attendances_of_a_call_follow_one_another_from_the_end_of_the_menu(records):
    left = {record["id_chamada"]: record["data_hora_fim"] for record in records["ura"]}
    for call, attendances in by_call(records).items():
        ends = [left[call], *(record["data_hora_fim"] for record in attendances)]
        assert [record["data_hora_inicio"] for record in attendances] == ends[:-1]
        lengths = [instant(r["data_hora_fim"]) - instant(r["data_hora_inicio"]) for r in attendances]
        assert all(timedelta(seconds=30) <= length <= timedelta(seconds=300) for length in lengths)


def test_a_call_never_has_an_agent_twice(records):
    for attendances in by_call(records).values():
        agents = {record["id_assistente"] for record in attendances}
        assert len(agents) == len(attendances) <= 7


def test_a_survey_is_sent_after_the_last_attendance_of_its_call(records):
    calls = by_call(records)
    waits = [
        instant(record["data_envio"]) - instant(calls[record["id_chamada"]][-1]["data_hora_fim"])
        for record in records["surveys"]
    ]

    assert timedelta(seconds=10) <= min(waits)
    assert max(waits) <= timedelta(seconds=120)


def test_the_menu_answers_within_seconds_and_is_left_within_minutes(records):
    for number, record in enumerate(records["ura"]):
        rang = datetime(2026, 11, 27, 13, tzinfo=ZoneInfo("UTC")) + timedelta(seconds=number * 4.32)
        rings = instant(record["data_hora_inicio"]) - rang
        assert timedelta(seconds=1) <= rings <= timedelta(seconds=5)
        menu = instant(record["data_hora_fim"]) - instant(record["data_hora_inicio"])
        assert timedelta(seconds=120) <= menu <= timedelta(seconds=300)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (lambda records: share(record["autenticado"] for record in records["ura"]), 0.85),
        (lambda records: share(record["derivado_atendimento"] for record in records["ura"]), 0.30),
        (lambda records: len(records["surveys"]) / len(by_call(records)), 0.70),
        (lambda records: share(record["opcoes_navegadas"] == 10 for record in records["ura"]), 0.10),
        (lambda records: share(record["codigo_opcao"] == "PIX" for record in records["ura"]), 1 / 14),
        (lambda records: share(record["nota"] >= 6 for record in records["surveys"]), 0.50),
        (lambda records: share(len(ones) == 7 for ones in by_call(records).values()), 1 / 7),
        (lambda records: share(len(ones) == 1 for ones in by_call(records).values()), 1 / 7),
        (lambda records: share(record["area_atendimento"] == "Cobrança" for record in records["calls"]), 0.25),
        (lambda records: share(inside(records)), 0.25),
    ],
    ids=["authenticated", "passed on", "surveys", "ten options", "PIX", "promoters", "seven", "one", "area", "inside"],
)
def test_each_thing_happens_as_often_as_the_tables_say(records, what, expected):
    assert what(records) == pytest.approx(expected, abs=0.03)


def inside(records):
    """Say of each transfer whether it was to an agent of the same area."""
    for attendances in by_call(records).values():
        for one, following in pairwise(attendances):
            yield one["area_atendimento"] == following["area_atendimento"]


def test_every_value_of_the_tables_is_drawn(records):
    assert {record["codigo_opcao"] for record in records["ura"]} == set(tables.OPTIONS)
    assert {record["opcoes_navegadas"] for record in records["ura"]} == set(range(1, 11))
    assert {record["area_atendimento"] for record in records["calls"]} == set(tables.AREAS)
    assert {record["nota"] for record in records["surveys"]} == set(range(1, 11))


def test_clients_call_evenly(records):
    clients = [record["id_cliente"] for record in records["ura"]]

    assert len(set(clients)) == pytest.approx(8_650, abs=150)  # of 10,000 who call twice a day on average
    assert (min(clients), max(clients)) == pytest.approx((1, 10_000), abs=5)
