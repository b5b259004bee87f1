"""What an agent's day says, by examples: calls, transfers, recalls, time and what callers thought."""

from datetime import date
from decimal import Decimal

import pytest

from call_rows import attendance, frame, survey
from lakehouse.gold.visao_assistentes import TABLE

DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)
AT_TEN, HALF = "2026-11-23 10:00:00", Decimal("50.0000")


@pytest.fixture
def view(spark):
    """Gives by day, area and agent the figures that are made of attendances and surveys."""

    def made(*attendances, surveys=(), **options):
        inputs = {
            "tabe_calls": frame(spark, "tabe_calls", attendances),
            "tabe_pesq_ura": frame(spark, "tabe_pesq_ura", surveys),
        }
        rows = TABLE.given(options).build(**inputs).to(TABLE.schema).collect()
        found = {tuple(row[name] for name in TABLE.key): row for row in rows}
        assert len(found) == len(rows)
        return found

    return made


@pytest.fixture
def agent(view):
    """Gives the figures of agent 1 on the first day."""
    return lambda *attendances, **more: view(*attendances, **more)[DAY, "Cobrança", 1]


def test_calls_are_counted_by_day_area_and_agent(view):
    found = view(
        attendance("a", AT_TEN),
        attendance("b", "2026-11-23 11:00:00"),
        attendance("c", "2026-11-23 12:00:00", agent=2),
        attendance("d", "2026-11-23 13:00:00", DS_AREA_ATEN="Cartões"),
        attendance("e", "2026-11-24 10:00:00"),
    )

    assert {key: row["QT_CHAM_ATEN"] for key, row in found.items()} == {
        (DAY, "Cobrança", 1): 2,
        (DAY, "Cobrança", 2): 1,
        (DAY, "Cartões", 1): 1,
        (NEXT, "Cobrança", 1): 1,
    }
    assert {row["CD_PERI"] for row in found.values()} == {202611}


def test_transfers_are_those_of_this_agents_calls_and_inside_the_area_is_told_apart(agent):
    row = agent(
        attendance("a", AT_TEN, IN_TRAF=True),
        attendance("b", AT_TEN, IN_TRAF=True, IN_TRAF_INDV=True),
        attendance("b", "2026-11-23 10:06:00", agent=2),
        attendance("c", AT_TEN),
    )

    assert (row["QT_CHAM_ATEN"], row["QT_TRAF"], row["QT_TRAF_INDV"]) == (3, 2, 1)
    assert (row["PC_TRAF"], row["PC_TRAF_INDV"]) == (Decimal("66.6667"), Decimal("33.3333"))


def test_a_call_that_an_agent_had_twice_is_one_call_of_two_attendances(agent):
    row = agent(
        attendance("a", AT_TEN, "2026-11-23 10:01:00", IN_TRAF=True, IN_TRAF_INDV=True),
        attendance("a", "2026-11-23 10:01:00", "2026-11-23 10:02:00", agent=2, IN_TRAF=True),
        attendance("a", "2026-11-23 10:02:00", "2026-11-23 10:05:00"),
        surveys=[survey("a", "2026-11-23 10:06:00", 10)],
    )

    assert (row["QT_CHAM_ATEN"], row["QT_TRAF"], row["PC_TRAF"], row["QT_PRMT"]) == (1, 1, Decimal(100), 1)
    assert row["VL_TEMP_MEDI_OPER"] == Decimal("120.0000")


RECALLS = [
    ("at its end", "2026-11-23 10:05:00", 0),
    ("just after", "2026-11-23 10:05:00.000001", 1),
    ("24 hours later", "2026-11-24 10:05:00", 1),
    ("just after 24 hours", "2026-11-24 10:05:00.000001", 0),
    ("before it", "2026-11-23 09:00:00", 0),
]


@pytest.mark.parametrize(("again", "recalls"), [case[1:] for case in RECALLS], ids=[case[0] for case in RECALLS])
def test_a_recall_is_a_call_that_starts_after_the_end_and_up_to_24_hours_later(agent, again, recalls):
    row = agent(attendance("a", AT_TEN), attendance("b", again, agent=2))

    assert (row["QT_RECH"], row["PC_RECH"]) == (recalls, Decimal(100 * recalls))


def test_neither_another_clients_call_nor_the_calls_own_attendances_are_recalls(agent):
    row = agent(
        attendance("a", AT_TEN),
        attendance("b", "2026-11-23 11:00:00", client=2, agent=2),
        attendance("a", "2026-11-23 10:06:00", agent=3),
    )

    assert row["QT_RECH"] == 0


def test_a_call_ends_with_the_last_of_its_attendances_and_starts_with_the_first(view):
    found = view(
        attendance("a", AT_TEN, "2026-11-23 10:01:00"),
        attendance("a", "2026-11-23 10:01:00", "2026-11-23 10:30:00", agent=2),
        attendance("b", "2026-11-23 10:20:00", agent=3),
        attendance("b", "2026-11-23 10:40:00", agent=4),
    )

    assert {key[2]: row["QT_RECH"] for key, row in found.items()} == {1: 0, 2: 0, 3: 0, 4: 0}


def test_each_of_a_calls_agents_has_its_recall(view):
    found = view(
        attendance("a", AT_TEN, "2026-11-23 10:01:00"),
        attendance("a", "2026-11-23 10:01:00", "2026-11-23 10:30:00", agent=2),
        attendance("b", "2026-11-23 10:31:00", agent=3),
    )

    assert {key[2]: row["QT_RECH"] for key, row in found.items()} == {1: 1, 2: 1, 3: 0}


def test_the_mean_time_is_of_attendances_and_rounded_half_up(agent):
    row = agent(
        attendance("a", AT_TEN, "2026-11-23 10:00:00.000100"),
        attendance("b", AT_TEN, "2026-11-23 10:00:00.000200"),
    )

    assert row["VL_TEMP_MEDI_OPER"] == Decimal("0.0002")


def test_an_attendance_of_years_makes_no_figure_overflow(agent):
    row = agent(attendance("a", AT_TEN, "9998-11-23 10:00:00"))

    assert row["VL_TEMP_MEDI_OPER"] > Decimal(250_000_000_000)


def test_marks_are_counted_once_a_call_by_both_sets_of_thresholds(agent):
    marks = (10, 9, 6, 5, 4, 1)

    row = agent(
        *[attendance(f"c{mark}", AT_TEN, client=mark) for mark in marks],
        surveys=[survey(f"c{mark}", "2026-11-23 10:06:00", mark) for mark in marks],
    )

    assert (row["QT_PRMT"], row["QT_NTRO"], row["QT_DETR"]) == (3, 1, 2)
    assert row["VL_NPS"] == Decimal("16.6667")
    assert row["VL_NPS_PADRAO"] == Decimal("-33.3333")


def test_thresholds_are_options(agent):
    marks = (8, 7, 6, 5)

    row = agent(
        *[attendance(f"c{mark}", AT_TEN, client=mark) for mark in marks],
        surveys=[survey(f"c{mark}", "2026-11-23 10:06:00", mark) for mark in marks],
        nps_promoter_from=8,
        nps_detractor_to=6,
    )

    assert (row["QT_PRMT"], row["QT_NTRO"], row["QT_DETR"], row["VL_NPS"]) == (1, 1, 2, Decimal("-25.0000"))
    assert row["VL_NPS_PADRAO"] == -HALF


def test_each_of_a_calls_agents_gets_its_mark_and_a_survey_may_be_sent_before_its_call(view):
    found = view(
        attendance("a", AT_TEN),
        attendance("a", "2026-11-23 10:06:00", agent=2),
        surveys=[survey("a", "2026-11-23 09:00:00", 9)],
    )

    assert [row["QT_PRMT"] for row in found.values()] == [1, 1]


def test_without_a_survey_there_is_no_score(agent):
    row = agent(attendance("a", AT_TEN), surveys=[survey("of nobody", AT_TEN, 10)])

    assert (row["QT_PRMT"], row["QT_NTRO"], row["QT_DETR"]) == (0, 0, 0)
    assert (row["VL_NPS"], row["VL_NPS_PADRAO"]) == (None, None)


def test_a_call_over_midnight_counts_on_the_days_on_which_its_attendances_began(view):
    found = view(
        attendance("a", "2026-11-23 23:58:00", "2026-11-24 00:01:00"),
        attendance("a", "2026-11-24 00:01:00", agent=2),
        attendance("b", "2026-11-24 23:00:00", agent=3),
    )

    assert {key[0::2]: row["QT_RECH"] for key, row in found.items()} == {(DAY, 1): 1, (NEXT, 2): 1, (NEXT, 3): 0}


CLOCK_CHANGES = [
    ("2018-11-03T23:59:59-03:00", date(2018, 11, 3)),
    ("2018-11-04T01:00:00-02:00", date(2018, 11, 4)),
    ("2019-02-16T23:30:00-02:00", date(2019, 2, 16)),
    ("2019-02-16T23:30:00-03:00", date(2019, 2, 16)),
    ("2019-02-17T00:00:00-03:00", date(2019, 2, 17)),
]


@pytest.mark.parametrize(("moment", "day"), CLOCK_CHANGES)
def test_days_are_those_of_the_clocks_in_sao_paulo(view, moment, day):
    assert [key[0] for key in view(attendance("a", moment))] == [day]


@pytest.mark.parametrize(
    ("end", "again", "recalls"),
    [
        ("2018-11-03T12:00:00-03:00", "2018-11-04T13:00:00-02:00", 1),
        ("2018-11-03T12:00:00-03:00", "2018-11-04T13:00:01-02:00", 0),
        ("2019-02-16T12:00:00-02:00", "2019-02-17T11:00:00-03:00", 1),
        ("2019-02-16T12:00:00-02:00", "2019-02-17T11:00:01-03:00", 0),
    ],
)
def test_24_hours_are_24_hours_when_the_clocks_change(view, end, again, recalls):
    start = end.replace("T12", "T11")

    found = view(attendance("a", start, end), attendance("b", again, agent=2))

    assert [row["QT_RECH"] for key, row in found.items() if key[2] == 1] == [recalls]


def test_without_attendances_there_are_no_rows(view):
    assert view(surveys=[survey("a", AT_TEN, 5)]) == {}
