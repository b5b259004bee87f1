from hypothesis import given
from hypothesis import strategies as st

from emulators.power_bi.limits import Limits, Window


def test_the_post_beyond_a_minutes_limit_waits_for_the_oldest():
    limits = Limits()

    waits = [limits.retry_after(1, second / 10) for second in range(121)]

    assert waits == [None] * 120 + [48]
    assert limits.retry_after(1, 59.9) == 1
    assert limits.retry_after(1, 60.0) is None


def test_the_rows_beyond_an_hours_limit_wait_for_the_oldest():
    limits = Limits()
    for number in range(100):
        limits.retry_after(10_000, number * 10.0)

    assert limits.retry_after(1, 1_000.0) == 2_600
    assert limits.retry_after(1, 3_600.0) is None


def test_what_is_refused_does_not_count():
    limits = Limits(rows=Window(10, 60.0))
    limits.retry_after(10, 0.0)

    assert [limits.retry_after(5, second) for second in (1.0, 2.0, 60.0)] == [59, 58, None]


@given(st.lists(st.tuples(st.integers(1, 9), st.floats(0, 5)), max_size=40))
def test_no_span_of_its_length_ever_holds_more_than_a_window_may(steps):
    window, now, taken = Window(20, 10.0), 0.0, []
    for amount, pause in steps:
        now += pause
        if window.wait(amount, now) == 0:
            window.take(amount, now)
            taken.append((now, amount))

    for end, _ in taken:
        assert sum(amount for at, amount in taken if end - 10.0 < at <= end) <= 20


@given(st.lists(st.integers(1, 9), max_size=20), st.integers(1, 9))
def test_after_the_wait_it_fits(amounts, more):
    window = Window(20, 10.0)
    for number, amount in enumerate(amounts):
        if window.wait(amount, number) == 0:
            window.take(amount, number)

    now = float(len(amounts))
    assert window.wait(more, now + window.wait(more, now)) == 0
