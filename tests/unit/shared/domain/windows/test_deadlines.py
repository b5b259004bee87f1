from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.deadlines import CLOSING, OUTAGE, closing_deadline, slice_deadline, telling_deadline
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(HOUR / 12, HOUR / 120, HOUR / 180, 0.0, 2.0, ("coinbase:BTC-USD",), (STREAM,))
WINDOW = Window("trades", NOON, NOON + HOUR)
LIVE = TEMPLATE.freeze(WINDOW, NOON, "", {})
DRAWN = replace(LIVE, sources=(), fingerprint="pool")


def test_a_live_slice_of_exchanges_is_tried_until_its_history_is_closing_s_business():
    first = LIVE.slices()[0]

    assert slice_deadline(LIVE, first, NOON) == first.end + LIVE.grace + timedelta(minutes=2)


def test_a_drawn_slice_is_tried_for_hours_after_its_window():
    assert {slice_deadline(DRAWN, part, NOON) for part in DRAWN.slices()} == {WINDOW.end + DRAWN.grace + OUTAGE}


def test_a_past_slice_has_the_time_that_its_window_takes_at_its_speed_from_its_beginning_on():
    past = TEMPLATE.freeze(WINDOW, NOON + 24 * HOUR, "", {})
    began = NOON + 25 * HOUR

    deadline = slice_deadline(past, past.slices()[0], began)

    assert deadline == began + HOUR / 2 + 12 * past.grace + OUTAGE


@given(
    st.sampled_from([LIVE, DRAWN, TEMPLATE.freeze(WINDOW, NOON + 24 * HOUR, "", {})]), st.timedeltas(HOUR, 99 * HOUR)
)
def test_closing_has_its_time_after_the_last_try_at_a_slice_and_telling_after_that(plan, later):
    began = NOON + later if plan.past else NOON
    last = max(slice_deadline(plan, part, began) for part in plan.slices())

    assert last + CLOSING <= closing_deadline(plan, began) < telling_deadline(plan, began)
