import itertools

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.sinks import LEAST_SECONDS, SinkMeter, summed


def sent(meter, accepted, milliseconds, units=0.0):
    """Let a meter count so many records more, when all so far took so long and cost so much."""
    meter.take(accepted, Delivery())
    events = [Event(b"x" * 10, 1, {})] * accepted
    meter.settle(events, Delivery(accepted=accepted, events=accepted), Charge(units, 1, 0, milliseconds))


def test_a_line_is_due_after_a_thousand_records():
    meter = SinkMeter()

    sent(meter, 999, 500.0)
    early = meter.line(0.0)
    sent(meter, 1, 501.0)
    due = meter.line(1.0)

    assert early is None
    assert (due.accepted, due.pending, due.failed, due.milliseconds, due.faster_percent) == (1_000, 0, 0, 501.0, None)
    assert due.records_s == 1996.0


def test_a_thousand_is_compared_with_the_one_before():
    meter = SinkMeter()
    sent(meter, 1_000, 500.0)
    meter.line(0.0)

    sent(meter, 1_000, 900.0)
    faster = meter.line(10.0)
    sent(meter, 2_000, 2_500.0)
    slower = meter.line(20.0)

    assert (faster.milliseconds, faster.faster_percent) == (400.0, 20.0)
    assert (slower.milliseconds, slower.faster_percent) == (800.0, -100.0)


def test_however_fast_records_go_lines_are_seconds_apart():
    meter = SinkMeter()
    lines = []

    for tick in range(1_000):
        sent(meter, 5_000, tick * 100.0)
        lines.append(meter.line(tick / 10))

    due = [tick / 10 for tick, line in enumerate(lines) if line]
    assert len(due) == 100 / LEAST_SECONDS
    assert all(later - earlier >= LEAST_SECONDS for earlier, later in itertools.pairwise(due))


def test_request_units_are_shown_in_all_and_a_second():
    meter = SinkMeter()

    sent(meter, 1_000, 2_000.0, units=5_000.0)

    assert (meter.line(0.0).units, meter.last().units_s) == (5_000.0, 2_500.0)


def test_what_is_neither_accepted_nor_given_up_is_pending():
    meter = SinkMeter()
    meter.take(10, Delivery(refusals=(Refusal(1, "too large"),)))

    meter.settle([], Delivery(accepted=4, spilled=2, unknown=1), Charge())

    assert (meter.last().pending, meter.last().failed) == (2, 4)


def test_an_event_is_billed_for_each_64_kilobytes():
    meter = SinkMeter()
    events = [Event(b"x" * size, 1, {}) for size in (1, 65_536, 65_537)]

    meter.settle(events, Delivery(accepted=3, events=3), Charge())

    assert (meter.billed_events, meter.bytes) == (4, 131_074)


def test_what_was_not_taken_is_not_billed():
    meter = SinkMeter()
    events = [Event(b"x" * 65_537, 1, {})] * 4

    meter.settle(events, Delivery(accepted=1, spilled=3, events=1), Charge())

    assert (meter.billed_events, meter.bytes) == (2, 65_537)


sinks = st.dictionaries(st.sampled_from("ab"), st.integers(0, 9).map(lambda n: {"hub": {"read": n, "units": n / 2}}))


@given(st.lists(sinks, max_size=5))
def test_what_slices_counted_is_added_up_by_stream_and_sink(counts):
    totals = summed(counts)

    for stream in "ab":
        own = [each[stream]["hub"] for each in counts if stream in each]
        assert totals.get(stream, {}).get("hub", {}).get("read", 0) == sum(one["read"] for one in own)
        assert totals.get(stream, {}).get("hub", {}).get("units", 0) == sum(one["units"] for one in own)
