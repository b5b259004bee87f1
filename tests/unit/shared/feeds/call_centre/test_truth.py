"""The rows that the lakehouse is compared with, by examples made by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from shared.feeds.call_centre.truth import Marks, mean, visao_assistentes, visao_ura_calls
from shared.feeds.feed import Position
from tests.unit.shared.feeds.call_centre.conftest import START, WINDOW, read

NOON = datetime.fromisoformat("2026-11-27T12:00:00-03:00")
DAY = date(2026, 11, 27)


def at(minutes):
    return (NOON + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")


def attended(call, start, end, *, agent=1, area="Cartões", client=7, number=None):
    """Give an attendance; its times are minutes from noon of 2026-11-27 in São Paulo."""
    return {
        "id_chamada": call,
        "id_atendimento": number or f"{call}-{start}",
        "id_cliente": client,
        "id_assistente": agent,
        "data_hora_inicio": at(start),
        "data_hora_fim": at(end),
        "area_atendimento": area,
    }


def seen(call, start, end, *, options=2, passed_on=True, known=True, option="PIX"):
    return {
        "id_chamada": call,
        "id_cliente": 7,
        "data_hora_inicio": at(start),
        "data_hora_fim": at(end),
        "autenticado": known,
        "opcoes_navegadas": options,
        "codigo_opcao": option,
        "derivado_atendimento": passed_on,
        "id_fila": f"URA_{option}",
    }


def marked(call, minutes, mark, number="p"):
    return {"id_chamada": call, "id_pesquisa": number, "data_envio": at(minutes), "nota": mark}


def by_agent(rows):
    return {row["ID_ASST"]: row for row in rows}


def test_one_call_of_one_agent():
    (row,) = visao_assistentes([attended("a", 0, 3)], [marked("a", 4, 10)])

    assert row == {
        "CD_PERI": 202611,
        "DT_REFE": DAY,
        "DS_AREA": "Cartões",
        "ID_ASST": 1,
        "QT_CHAM_ATEN": 1,
        "QT_TRAF": 0,
        "PC_TRAF": Decimal("0.0000"),
        "QT_TRAF_INDV": 0,
        "PC_TRAF_INDV": Decimal("0.0000"),
        "QT_RECH": 0,
        "PC_RECH": Decimal("0.0000"),
        "VL_TEMP_MEDI_OPER": Decimal("180.0000"),
        "QT_PRMT": 1,
        "QT_NTRO": 0,
        "QT_DETR": 0,
        "VL_NPS": Decimal("100.0000"),
        "VL_NPS_PADRAO": Decimal("100.0000"),
    }


def test_a_transfer_is_counted_for_all_but_the_last_agent():
    calls = [
        attended("a", 0, 1, agent=1),
        attended("a", 1, 2, agent=2),
        attended("a", 2, 3, agent=3, area="Cobrança"),
    ]

    rows = by_agent(visao_assistentes(calls, []))

    assert {agent: (row["QT_TRAF"], row["QT_TRAF_INDV"]) for agent, row in rows.items()} == {
        1: (1, 1),  # to agent 2, of the same area
        2: (1, 0),  # to another area
        3: (0, 0),
    }


def test_inside_the_area_is_the_next_attendance_and_no_later_one():
    calls = [
        attended("a", 0, 1, agent=1),
        attended("a", 1, 2, agent=2, area="Cobrança"),
        attended("a", 2, 3, agent=3),
    ]

    rows = by_agent(visao_assistentes(calls, []))

    assert (rows[1]["QT_TRAF"], rows[1]["QT_TRAF_INDV"]) == (1, 0)


def test_attendances_that_start_together_are_in_the_order_of_their_ids():
    calls = [attended("a", 0, 1, agent=1, number="2"), attended("a", 0, 1, agent=2, number="1")]

    rows = by_agent(visao_assistentes(calls, []))

    assert (rows[1]["QT_TRAF"], rows[2]["QT_TRAF"]) == (0, 1)


@pytest.mark.parametrize(
    ("start", "recalled"),
    [(3, 0), (3.00002, 1), (3 + 24 * 60, 1), (3 + 24 * 60 + 0.00002, 0), (2, 0), (-10, 0)],
    ids=["at the end", "just after", "at 24 hours", "just over 24 hours", "before the end", "before the call"],
)
def test_a_recall_starts_after_the_end_and_within_24_hours(start, recalled):
    calls = [attended("a", 0, 3, agent=1), attended("b", start, start + 1, agent=2)]

    rows = by_agent(visao_assistentes(calls, []))

    assert rows[1]["QT_RECH"] == recalled


def test_the_call_before_has_the_recall_and_the_later_one_has_none():
    rows = by_agent(visao_assistentes([attended("a", 0, 3, agent=1), attended("b", 60, 63, agent=2)], []))

    assert (rows[1]["QT_RECH"], rows[2]["QT_RECH"]) == (1, 0)


def test_a_recall_is_counted_from_the_end_of_the_whole_call_for_each_of_its_agents():
    calls = [
        attended("a", 0, 3, agent=1),
        attended("a", 3, 9, agent=2),
        attended("b", 5, 6, agent=3),
        attended("c", 8 + 24 * 60, 9 + 24 * 60, agent=3),
    ]

    rows = by_agent(visao_assistentes(calls[:3], []))
    with_one_more = by_agent(visao_assistentes(calls, [])[:2])

    assert (rows[1]["QT_RECH"], rows[2]["QT_RECH"]) == (0, 0)
    assert (with_one_more[1]["QT_RECH"], with_one_more[2]["QT_RECH"]) == (1, 1)


def test_a_call_that_was_there_before_the_end_is_no_recall_though_an_agent_takes_it_after_that():
    calls = [attended("a", 0, 3, agent=1), attended("b", 2, 4, agent=2), attended("b", 4, 5, agent=3)]

    rows = by_agent(visao_assistentes(calls, []))

    assert rows[1]["QT_RECH"] == 0


def test_a_later_attendance_of_the_same_call_or_another_client_is_no_recall():
    calls = [attended("a", 0, 3), attended("a", 5, 6), attended("b", 10, 11, client=8, agent=2)]

    assert [row["QT_RECH"] for row in visao_assistentes(calls, [])] == [0, 0]


def test_of_two_surveys_for_one_call_the_later_one_counts():
    surveys = [marked("a", 9, 1), marked("a", 5, 10)]

    (row,) = visao_assistentes([attended("a", 0, 3)], surveys)

    assert (row["QT_PRMT"], row["QT_DETR"], row["VL_NPS"]) == (0, 1, Decimal("-100.0000"))


def test_of_two_surveys_at_one_time_that_of_the_greater_id_counts():
    surveys = [marked("a", 5, 10, "q"), marked("a", 5, 1, "p")]

    (row,) = visao_assistentes([attended("a", 0, 3)], surveys)

    assert (row["QT_PRMT"], row["QT_DETR"]) == (1, 0)


def test_a_survey_before_its_call_counts_once_the_call_is_there():
    early = [marked("a", -60, 10)]

    (row,) = visao_assistentes([attended("a", 0, 3)], early)

    assert visao_assistentes([], early) == []
    assert row["QT_PRMT"] == 1


def test_every_agent_of_a_call_gets_its_mark():
    calls = [attended("a", 0, 1, agent=1), attended("a", 1, 2, agent=2)]

    rows = visao_assistentes(calls, [marked("a", 4, 5)])

    assert [row["QT_NTRO"] for row in rows] == [1, 1]


def test_marks_are_judged_by_the_thresholds_and_beside_them_by_the_standard():
    marks = [10, 9, 8, 7, 6, 5, 4]
    calls = [attended(f"call {mark}", mark * 10, mark * 10 + 1, client=mark) for mark in marks]
    surveys = [marked(f"call {mark}", 200, mark) for mark in marks]

    (usual,) = visao_assistentes(calls, surveys)
    (strict,) = visao_assistentes(calls, surveys, Marks(promoter=10, neutral=9))

    assert (usual["QT_PRMT"], usual["QT_NTRO"], usual["QT_DETR"]) == (5, 1, 1)
    assert usual["VL_NPS"] == Decimal("57.1429")
    assert (strict["QT_PRMT"], strict["QT_NTRO"], strict["QT_DETR"]) == (1, 1, 5)
    assert usual["VL_NPS_PADRAO"] == strict["VL_NPS_PADRAO"] == Decimal("-14.2857")


def test_there_is_no_nps_where_nobody_gave_a_mark():
    (row,) = visao_assistentes([attended("a", 0, 3)], [])

    assert (row["VL_NPS"], row["VL_NPS_PADRAO"], row["QT_DETR"]) == (None, None, 0)


def test_an_attendance_over_midnight_is_of_the_local_day_on_which_it_starts():
    calls = [
        attended("a", 12 * 60 - 1, 12 * 60 + 2, agent=1),
        attended("a", 12 * 60 + 2, 12 * 60 + 3, agent=1),
    ]

    before, after = visao_assistentes(calls, [])

    assert (before["DT_REFE"], before["QT_TRAF"], before["VL_TEMP_MEDI_OPER"]) == (DAY, 1, Decimal(180))
    assert (after["DT_REFE"], after["QT_TRAF"], after["VL_TEMP_MEDI_OPER"]) == (date(2026, 11, 28), 0, Decimal(60))


def test_the_period_is_that_of_the_local_day():
    (row,) = visao_assistentes([attended("a", 4 * 1440 - 1, 4 * 1440)], [])

    assert (row["DT_REFE"], row["CD_PERI"]) == (date(2026, 12, 1), 202612)


def test_a_record_that_was_sent_twice_counts_once():
    twice = [attended("a", 0, 3), attended("a", 0, 3)]

    assert visao_assistentes(twice, [marked("a", 4, 9)] * 2) == visao_assistentes(twice[:1], [marked("a", 4, 9)])
    assert visao_ura_calls([seen("a", 0, 1)] * 2, twice) == visao_ura_calls([seen("a", 0, 1)], twice[:1])


def test_a_day_without_calls_has_no_rows():
    assert visao_assistentes([], []) == []
    assert visao_ura_calls([], [attended("a", 0, 3)]) == []


def test_a_queue_of_one_day():
    ura = [
        seen("a", 0, 2, options=3),
        seen("b", 5, 7, options=6, passed_on=False, known=False),
        seen("c", 9, 10, options=9, passed_on=False),
    ]
    calls = [attended("a", 2, 3, agent=1), attended("a", 3, 5, agent=2)]

    (row,) = visao_ura_calls(ura, calls)

    assert row == {
        "CD_PERI": 202611,
        "DT_REFE": DAY,
        "ID_FILA": "URA_PIX",
        "QT_CHAM": 3,
        "NR_MED_OPCA_NAVG": Decimal("6.0000"),
        "NR_MED_OPCA_AUTO_SERV": Decimal("7.5000"),
        "NR_MED_OPCA_DERV": Decimal("3.0000"),
        "QT_AUTN": 2,
        "QT_DERV_ATEN": 1,
        "QT_CHAM_ATEN_HUMN": 1,
        "QT_TRAF": 1,
        "QT_TRAF_INDV": 1,
        "NR_MEDI_TEMP_CHAM": Decimal("160.0000"),  # 300, 120 and 60 seconds
    }


def test_a_call_that_was_passed_on_but_never_attended_ends_with_its_menu():
    (row,) = visao_ura_calls([seen("a", 0, 2)], [])

    assert (row["QT_DERV_ATEN"], row["QT_CHAM_ATEN_HUMN"], row["NR_MEDI_TEMP_CHAM"]) == (1, 0, Decimal(120))
    assert row["NR_MED_OPCA_AUTO_SERV"] is None


def test_a_queue_has_a_row_for_each_local_day():
    rows = visao_ura_calls([seen("a", 12 * 60 - 1, 12 * 60 + 1), seen("b", 12 * 60, 12 * 60 + 1)], [])

    assert [(row["DT_REFE"].day, row["QT_CHAM"]) for row in rows] == [(27, 1), (28, 1)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 2], "1.6667"),
        ([0] * 19_999 + [1], "0.0001"),
        ([0] * 19_999 + [-1], "-0.0001"),
        ([0] * 20_001 + [1], "0"),
    ],
)
def test_a_half_is_rounded_away_from_zero(values, expected):
    assert mean(values) == Decimal(expected)


def test_drawn_records_add_up(call_centre):
    batch = call_centre.draw(Position(WINDOW, 0, 0, 3_000, START, 5.0))
    ura, calls, surveys = (read(batch[stream]) for stream in ("ura", "calls", "surveys"))

    agents, queues = visao_assistentes(calls, surveys), visao_ura_calls(ura, calls)

    assert sum(row["QT_CHAM_ATEN"] for row in agents) == len(calls)
    assert sum(row["QT_CHAM"] for row in queues) == len(ura)
    assert sum(row["QT_TRAF"] for row in agents) == len(calls) - len({call["id_chamada"] for call in calls})
    assert sum(row["QT_CHAM_ATEN_HUMN"] for row in queues) == sum(row["QT_DERV_ATEN"] for row in queues)
    assert sum(row["QT_RECH"] for row in agents) > 0
    assert all(row["QT_PRMT"] + row["QT_NTRO"] + row["QT_DETR"] <= row["QT_CHAM_ATEN"] for row in agents)
