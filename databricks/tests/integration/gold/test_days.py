"""The call centre's day tables, however their rows came: they equal one build over all, and only some days are made."""

import os
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from call_rows import attendance, local, menu, survey
from day_stage import DayStage
from lakehouse.gold import visao_assistentes, visao_ura_calls

ASSISTENTES = visao_assistentes.TABLE.given({})
URA = visao_ura_calls.TABLE
FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (23, 24, 25))
START = local("2026-11-22 20:00:00")
EXAMPLES = int(os.environ.get("EXAMPLES", "3"))


@pytest.fixture
def agents(spark):
    """The agents' days, of one call on each of three days."""
    stage = DayStage(spark, ASSISTENTES)
    stage.put(
        "tabe_calls",
        attendance("a", "2026-11-23 12:00:00", client=1),
        attendance("b", "2026-11-24 12:00:00", client=2),
        attendance("c", "2026-11-25 12:00:00", client=3),
    )
    assert stage.bring_up() == [FIRST, SECOND, THIRD]
    return stage


def recalls(stage):
    columns = [column.name for column in ASSISTENTES.columns]
    rows = [dict(zip(columns, row, strict=True)) for row in stage.held]
    return {row["DT_REFE"]: row["QT_RECH"] for row in rows if row["QT_RECH"]}


def test_a_call_that_comes_late_changes_the_recalls_of_the_day_before(agents):
    agents.put("tabe_calls", attendance("d", "2026-11-24 09:00:00", agent=2, client=1))

    days = agents.bring_up()

    assert (days, recalls(agents)) == ([FIRST, SECOND], {FIRST: 1})
    assert agents.held == agents.recomputed


def test_a_call_of_a_client_who_has_not_called_before_changes_its_own_day_alone(agents):
    agents.put("tabe_calls", attendance("d", "2026-11-24 09:00:00", client=9))

    assert agents.bring_up() == [SECOND]
    assert agents.held == agents.recomputed


def test_a_late_attendance_that_ends_a_call_later_takes_its_recall_away_on_all_days_of_the_call(agents):
    agents.put("tabe_calls", attendance("a", "2026-11-23 23:58:00"), attendance("d", "2026-11-24 00:10:00", agent=5))
    agents.bring_up()
    before = recalls(agents)

    agents.put("tabe_calls", attendance("a", "2026-11-24 00:03:00", "2026-11-24 00:15:00", agent=3))
    days = agents.bring_up()

    assert (before, days, recalls(agents)) == ({FIRST: 1}, [FIRST, SECOND], {})
    assert agents.held == agents.recomputed


def test_a_survey_changes_the_days_of_its_calls_attendances_alone_whenever_it_was_sent(agents):
    agents.put(
        "tabe_pesq_ura", survey("b", "2026-11-25 10:00:00", 9), survey("of nobody yet", "2026-11-25 10:00:00", 9)
    )

    assert agents.bring_up() == [SECOND]
    assert agents.held == agents.recomputed


def test_a_survey_that_came_before_its_call_counts_once_the_call_is_there(agents):
    agents.put("tabe_pesq_ura", survey("d", "2026-11-23 10:00:00", 9))
    waiting = agents.bring_up()

    agents.put("tabe_calls", attendance("d", "2026-11-25 12:00:00", client=9))

    assert (waiting, agents.bring_up()) == ([], [THIRD])
    assert agents.held == agents.recomputed


def test_a_survey_that_takes_the_place_of_another_changes_the_day(agents):
    agents.put("tabe_pesq_ura", survey("a", "2026-11-23 13:00:00", 1))
    agents.bring_up()
    agents.put("tabe_pesq_ura", survey("a", "2026-11-24 13:00:00", 10))

    assert agents.bring_up() == [FIRST]
    assert agents.held == agents.recomputed


def test_an_attendance_that_moves_changes_both_days_and_one_that_goes_leaves_a_day_without_rows(agents):
    agents.put("tabe_calls", {**attendance("a", "2026-11-23 12:00:00"), "DH_INIC": local("2026-11-25 12:00:00")})

    days = agents.bring_up()

    assert days == [FIRST, THIRD]
    assert {row[0] for row in agents.held} == {SECOND, THIRD}
    assert agents.held == agents.recomputed


def test_the_ends_of_the_calendar_are_days_like_others_and_what_lies_beyond_is_left_out(agents):
    agents.put("tabe_calls", *[attendance(moment, moment) for moment in BEYOND])

    days = agents.bring_up()

    assert days == [date(1, 1, 1), date(9999, 12, 31)]


def test_where_nobody_knows_what_changed_all_days_are_made_anew_and_those_that_were(agents):
    agents.remove("tabe_calls", ("a", "1 2026-11-23 12:00:00"))

    days = agents.bring_up(whole=frozenset({"tabe_calls", "tabe_pesq_ura"}))

    assert days == [FIRST, SECOND, THIRD]
    assert agents.held == agents.recomputed != []


def test_a_late_attendance_changes_the_menus_day_of_its_call(spark):
    stage = DayStage(spark, URA)
    stage.put("tabe_ura_anlt", menu("a", "2026-11-23 23:59:00"), menu("b", "2026-11-24 12:00:00"))
    stage.bring_up()

    stage.put("tabe_calls", attendance("a", "2026-11-24 00:01:00"), attendance("of nobody", "2026-11-24 00:01:00"))

    assert stage.bring_up() == [FIRST]
    assert stage.held == stage.recomputed


def test_a_call_of_the_menu_changes_its_own_day_alone(spark):
    stage = DayStage(spark, URA)
    stage.put("tabe_calls", attendance("a", "2026-11-24 00:01:00"))
    alone = stage.bring_up()

    stage.put("tabe_ura_anlt", menu("a", "2026-11-23 23:59:00"))

    assert (alone, stage.bring_up()) == ([], [FIRST])
    assert stage.held == stage.recomputed != []


BEYOND = ("0001-01-01T00:00:00+00:00", "0001-01-01T12:00:00+00:00", "9999-12-31T23:00:00+00:00")
hours = st.sampled_from([0, 3, 4, 5, 12, 16, 17, 24, 28, 29, 41, 52])
calls = st.sampled_from("abc")


@st.composite
def attendances(draw):
    start = START + timedelta(hours=draw(hours))
    length = timedelta(minutes=draw(st.sampled_from([5, 240, 720, 1440, 43200])))
    return {
        **attendance(draw(calls), start.isoformat(), client=draw(st.integers(1, 2))),
        "ID_ATEN": draw(st.sampled_from("12")),
        "ID_ASST": draw(st.integers(1, 2)),
        "DH_FIM": start + length,
        "IN_TRAF": draw(st.booleans()),
    }


@st.composite
def menus(draw):
    return menu(draw(calls), (START + timedelta(hours=draw(hours))).isoformat(), IN_AUTN=draw(st.booleans()))


@st.composite
def surveys(draw):
    sent = START + timedelta(hours=draw(hours), days=draw(st.sampled_from([0, 30, 31, -31])))
    return survey(draw(calls), sent.isoformat(), draw(st.integers(1, 10)))


changes = st.fixed_dictionaries(
    {
        "tabe_calls": st.lists(attendances(), max_size=4),
        "tabe_ura_anlt": st.lists(menus(), max_size=2),
        "tabe_pesq_ura": st.lists(surveys(), max_size=2),
        "gone": st.sets(st.tuples(calls, st.sampled_from("12")), max_size=2),
    }
)


@pytest.mark.parametrize("table", [ASSISTENTES, URA], ids=lambda table: table.name)
def test_a_day_table_equals_one_build_over_all_whatever_came_changed_or_went(table, spark):
    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(changes, min_size=2, max_size=3))
    def holds(steps):
        stage = DayStage(spark, table)
        for step in steps:
            stage.remove("tabe_calls", *step["gone"])
            stage.remove("tabe_ura_anlt", *{(call,) for call, _ in step["gone"]})
            for name in ("tabe_calls", "tabe_ura_anlt", "tabe_pesq_ura"):
                stage.put(name, *step[name])
            stage.bring_up()

        assert stage.held == stage.recomputed

    holds()
