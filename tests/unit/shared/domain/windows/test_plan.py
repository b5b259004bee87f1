import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.plan import MAX_CHILDREN, Plan, PlanTemplate, StreamPlan, longest_window
from shared.domain.windows.window import Window

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
STREAM = StreamPlan("transactions", ("transactions",), "transactions/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(
    timedelta(minutes=5), timedelta(seconds=20), timedelta(seconds=10), 100.0, 2.0, ("coinbase:BTC-USD",), (STREAM,)
)


def plan_of(length: timedelta, slice_length: timedelta, rate: float = 100.0) -> Plan:
    template = replace(TEMPLATE, slice_length=slice_length, rate=rate)
    return template.freeze(Window("payments", START, START + length), START, "abc", {"transactions": 10})


def test_a_stream_with_cosmos_beside_its_hub_survives_the_wire_and_one_without_is_written_as_before():
    beside = replace(STREAM, cosmos="ingestion/transactions")
    alone = replace(beside, hubs=(), destination="cosmos")

    assert [StreamPlan.from_wire(each.as_wire()) for each in (STREAM, beside, alone)] == [STREAM, beside, alone]
    assert "cosmos" not in STREAM.as_wire()


def test_what_the_app_makes_of_a_windows_records_survives_the_wire_and_a_plan_without_is_written_as_before():
    answers = (StreamPlan("promotions", ("promotions",), "promotions/1", "row", "identity", 0),)
    plan = plan_of(timedelta(minutes=5), timedelta(minutes=5))
    answered = replace(plan, answers=answers)

    assert Plan.from_wire(answered.as_wire()) == answered
    assert answered.of_hubs == (*plan.streams, *answers)
    assert "answers" not in plan.as_wire()


def test_a_day_of_five_minute_slices_is_24_legs_of_12():
    legs = plan_of(timedelta(hours=24), timedelta(minutes=5)).legs()

    assert [len(leg.slices) for leg in legs] == [12] * 24


def test_a_short_window_is_one_leg():
    legs = plan_of(timedelta(seconds=30), timedelta(seconds=10)).legs()

    assert [[part.number for part in leg.slices] for leg in legs] == [[0, 1, 2]]


@given(length=st.integers(1, 86_400), slice_length=st.integers(150, 900))
def test_slices_tile_the_window_without_hole_or_overlap(length, slice_length):
    plan = plan_of(timedelta(seconds=length), timedelta(seconds=slice_length))

    slices = [part for leg in plan.legs() for part in leg.slices]

    assert slices[0].start == plan.window.start
    assert slices[-1].end == plan.window.end
    assert all(earlier.end == later.start for earlier, later in pairwise(slices))
    assert [part.number for part in slices] == list(range(len(slices)))


@given(length=st.integers(1, 86_400), slice_length=st.integers(150, 900))
def test_no_orchestration_has_more_children_than_allowed(length, slice_length):
    plan = plan_of(timedelta(seconds=length), timedelta(seconds=slice_length))

    assert plan.window.length <= longest_window(plan.slice_length)
    assert len(plan.legs()) <= MAX_CHILDREN
    assert max(len(leg.slices) for leg in plan.legs()) <= MAX_CHILDREN


def test_a_window_that_needs_too_many_slices_does_not_fit():
    assert longest_window(timedelta(minutes=2)) == timedelta(hours=19, minutes=12)
    assert longest_window(timedelta(minutes=5)) == timedelta(hours=24)


@given(rate=st.floats(0.1, 10_000), slice_length=st.integers(1, 100))
def test_the_records_of_all_slices_add_up_to_rate_times_length(rate, slice_length):
    plan = plan_of(timedelta(seconds=300), timedelta(seconds=slice_length), rate)

    total = sum(plan.records(part) for part in plan.slices())

    assert abs(total - 300 * rate) < 1


@given(past=st.booleans(), rate=st.floats(0.1, 1e6))
def test_a_plan_survives_its_wire(past, rate):
    now = START + timedelta(days=1) if past else START
    window = Window("payments", START, START + timedelta(hours=1))
    plan = replace(TEMPLATE, rate=rate).freeze(window, now, "fingerprint", {"transactions": 10})

    assert Plan.from_wire(plan.as_wire()) == plan
    assert plan.past is past


def test_a_plan_of_one_hub_or_none_is_written_as_before_there_could_be_several():
    streams = (STREAM, replace(STREAM, name="orders", hubs=(), destination="sql"))
    plan = replace(plan_of(timedelta(hours=1), timedelta(minutes=5)), streams=streams)

    wire = plan.as_wire()["streams"]

    assert [(stream["hub"], "hubs" in stream) for stream in wire] == [("transactions", False), ("", False)]
    assert Plan.from_wire(plan.as_wire()) == plan


def test_a_plan_of_several_hubs_survives_its_wire_and_counts_the_partitions_that_all_have():
    template = replace(TEMPLATE, streams=(replace(STREAM, hubs=("a", "b", "c")),))
    window = Window("payments", START, START + timedelta(hours=1))

    plan = template.freeze(window, START, "", {"a": 10, "b": 4, "c": 32})

    assert Plan.from_wire(json.loads(json.dumps(plan.as_wire()))) == plan
    assert (plan.streams[0].hubs, plan.streams[0].partitions) == (("a", "b", "c"), 4)


def test_only_a_past_window_goes_at_the_catch_up_rate():
    window = Window("payments", START, START + timedelta(hours=1))

    to_come = TEMPLATE.freeze(window, START, "", {})
    gone_by = TEMPLATE.freeze(window, window.end, "", {})

    assert (to_come.speed, gone_by.speed) == (1.0, 2.0)


def test_every_slice_is_named_below_its_leg():
    window = Window("payments", START, START + timedelta(hours=1))

    named = TEMPLATE.freeze(window, START, "", {}, attempt=2).slice_instances()

    assert named[0] == f"{window.id}-a2-leg0-slice0"
    assert len(set(named)) == len(TEMPLATE.freeze(window, START, "", {}).slices())
