"""What a queue's day says, by examples."""

from datetime import date
from decimal import Decimal

import pytest

from call_rows import attendance, frame, menu
from lakehouse.gold.visao_ura_calls import TABLE

DAY = date(2026, 11, 23)
AT_TEN = "2026-11-23 10:00:00"


@pytest.fixture
def view(spark):
    """Gives by day and queue the figures that are made of the menu's calls and of attendances."""

    def made(*menus, attended=()):
        inputs = {
            "tabe_ura_anlt": frame(spark, "tabe_ura_anlt", menus),
            "tabe_calls": frame(spark, "tabe_calls", attended),
        }
        rows = TABLE.build(**inputs).to(TABLE.schema).collect()
        found = {tuple(row[name] for name in TABLE.key): row for row in rows}
        assert len(found) == len(rows)
        return found

    return made


@pytest.fixture
def queue(view):
    """Gives the figures of one queue on the first day."""
    return lambda *menus, **more: view(*menus, **more)[DAY, "URA_PIX"]


def test_calls_are_counted_by_day_and_queue(view):
    found = view(
        menu("a", AT_TEN),
        menu("b", "2026-11-23 23:59:59", IN_AUTN=False),
        menu("c", "2026-11-24 00:00:00"),
        menu("d", AT_TEN, ID_FILA="URA_CRT"),
    )

    assert {key: (row["QT_CHAM"], row["QT_AUTN"], row["CD_PERI"]) for key, row in found.items()} == {
        (DAY, "URA_PIX"): (2, 1, 202611),
        (date(2026, 11, 24), "URA_PIX"): (1, 1, 202611),
        (DAY, "URA_CRT"): (1, 1, 202611),
    }


def test_options_are_a_mean_of_all_calls_and_of_those_that_were_passed_on_or_not(queue):
    row = queue(
        menu("a", AT_TEN, QT_OPCA_NAVG=1),
        menu("b", AT_TEN, QT_OPCA_NAVG=2),
        menu("c", AT_TEN, QT_OPCA_NAVG=7, IN_DERV_ATEN=True),
    )

    assert row["NR_MED_OPCA_NAVG"] == Decimal("3.3333")
    assert row["NR_MED_OPCA_AUTO_SERV"] == Decimal("1.5000")
    assert (row["NR_MED_OPCA_DERV"], row["QT_DERV_ATEN"]) == (Decimal("7.0000"), 1)


def test_a_mean_of_no_calls_is_null(queue):
    assert queue(menu("a", AT_TEN))["NR_MED_OPCA_DERV"] is None
    assert queue(menu("a", AT_TEN, IN_DERV_ATEN=True))["NR_MED_OPCA_AUTO_SERV"] is None


def test_a_call_that_agents_attended_or_passed_on_counts_once(queue):
    row = queue(
        menu("a", AT_TEN, IN_DERV_ATEN=True),
        menu("b", AT_TEN, IN_DERV_ATEN=True),
        menu("c", AT_TEN, IN_DERV_ATEN=True),
        attended=[
            attendance("a", "2026-11-23 10:01:00", IN_TRAF=True, IN_TRAF_INDV=True),
            attendance("a", "2026-11-23 10:06:00", agent=2, IN_TRAF=True),
            attendance("a", "2026-11-23 10:11:00", agent=3),
            attendance("b", "2026-11-23 10:01:00"),
            attendance("not of the menu", "2026-11-23 10:01:00"),
        ],
    )

    assert (row["QT_CHAM"], row["QT_DERV_ATEN"], row["QT_CHAM_ATEN_HUMN"]) == (3, 3, 2)
    assert (row["QT_TRAF"], row["QT_TRAF_INDV"]) == (1, 1)


def test_a_call_lasts_until_the_end_of_its_last_attendance_else_until_the_menus(queue):
    row = queue(
        menu("a", AT_TEN),
        menu("b", AT_TEN),
        attended=[
            attendance("a", "2026-11-23 10:01:00", "2026-11-23 10:05:00"),
            attendance("a", "2026-11-23 10:05:00", "2026-11-23 10:09:00.000100", agent=2),
        ],
    )

    assert row["NR_MEDI_TEMP_CHAM"] == Decimal("300.0001")


def test_a_call_over_midnight_counts_on_the_day_on_which_the_menu_answered(queue):
    row = queue(
        menu("a", "2026-11-23 23:59:00"), attended=[attendance("a", "2026-11-24 00:00:00", "2026-11-24 00:10:00")]
    )

    assert (row["QT_CHAM_ATEN_HUMN"], row["NR_MEDI_TEMP_CHAM"]) == (1, Decimal("660.0000"))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2018-11-03T23:59:59-03:00", date(2018, 11, 3)),
        ("2018-11-04T01:00:00-02:00", date(2018, 11, 4)),
        ("2019-02-16T23:30:00-03:00", date(2019, 2, 16)),
        ("2019-02-17T00:00:00-03:00", date(2019, 2, 17)),
    ],
)
def test_days_are_those_of_the_clocks_in_sao_paulo(view, moment, day):
    assert list(view(menu("a", moment))) == [(day, "URA_PIX")]
