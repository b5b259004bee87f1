"""The table of figures: what does not hold is seen and fails, and a run of some rows leaves the others' figures."""

import pytest

from tests.faults.figures import FIRST, LAST, Figure, Figures, as_table, as_times, percentile, row_of, with_figures

LOST = Figure("F1", "lost", "0", "0", holds=True)
GAPS = Figure("F7", "gaps reported", "200 of 200", "all", holds=True)
SLOW = Figure("F10", "starters", "2", "1", holds=False)


@pytest.fixture
def taken():
    return []


@pytest.fixture
def of_f7(taken):
    return Figures("F7", lambda one: taken.append(Figure(**one)))


def test_a_figure_that_holds_is_kept_with_its_bar(of_f7, taken):
    of_f7.all_of("gaps reported", 200, 200)
    of_f7.at_most("reconnect, 95 %", 3.14159, 5, "s")
    of_f7.at_least("drained", 12345.6, 1000, "events/s")
    of_f7.exactly("false gaps", 0, 0)

    assert [(one.measured, one.bar) for one in taken] == [
        ("200 of 200", "all"),
        ("3.14 s", "≤ 5 s"),
        ("12,346 events/s", "≥ 1,000 events/s"),
        ("0", "0"),
    ]
    assert all(one.holds for one in taken)


@pytest.mark.parametrize(
    ("measure", "measured", "bar"),
    [("all_of", 199, 200), ("all_of", 0, 0), ("at_most", 5.1, 5), ("at_least", 999, 1000), ("exactly", 1, 0)],
)
def test_a_figure_that_does_not_hold_is_kept_too_and_fails(of_f7, taken, measure, measured, bar):
    with pytest.raises(AssertionError, match="F7"):
        getattr(of_f7, measure)("reconnect", measured, bar)

    assert [one.holds for one in taken] == [False]


def test_a_module_says_its_row():
    assert row_of("tests.faults.test_f07_gaps") == "F7"
    assert row_of("test_f13_metrics") == "F13"


def test_the_table_has_its_rows_in_order():
    assert as_table([SLOW, GAPS, LOST])[2:] == [LOST.as_line(), GAPS.as_line(), SLOW.as_line()]


def test_what_does_not_hold_is_named(of_f7):
    with pytest.raises(AssertionError, match="bitstamp: 17 to 19"):
        of_f7.all_of("gaps reported", 1, 2, ["bitstamp: 17 to 19"])


@pytest.mark.parametrize(
    ("count", "percent", "wanted"), [(100, 99, 99), (1000, 99, 990), (20, 95, 19), (10, 95, 10), (1, 99, 1), (3, 50, 2)]
)
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(count, percent, wanted):
    assert percentile(range(count, 0, -1), percent) == wanted


def test_the_times_of_all_rows_are_told_in_their_order():
    assert as_times({"F10": 9.6, "F2": 1234.4}, 1300.2) == "Seconds: F2 1,234, F10 10; from begin to end 1,300."


def test_figures_replace_their_former_values_and_leave_the_rest():
    report = f"# Reliability\n\n{FIRST}\n{LAST}\n\nHow to run it.\n"
    doubled = Figure("F1", "doubled", "0", "0", holds=True)
    first = with_figures(report, [LOST, doubled, GAPS])

    second = with_figures(first, [Figure("F1", "lost", "3", "0", holds=False)])

    assert second.split("\n")[5:9] == ["| F1 | lost | 3 | 0 | **no** |", doubled.as_line(), GAPS.as_line(), LAST]
    assert second.startswith("# Reliability\n\n")
    assert second.endswith("\n\nHow to run it.\n")
