"""When a window is balanced, and how each row of difference is named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.counting.counts import Hole, WindowCounts
from lakehouse.counting.reconciling import Equations, as_rows, reconciliation
from lakehouse.window import Closed, Spilled, StreamCounts

COUNTS = WindowCounts(
    bronze_events=10,
    bronze_records=100,
    silver_new=90,
    duplicates=4,
    quarantined=6,
    arrived={("0", 1): 60, ("1", 1): 40},
    gold={"enriched": {"": 80}, "unmatched": {"XYZ": 10}},
    sql={"Trades": 80},
)
EQUATIONS = Equations(balances=[("enriched", "unmatched")], published={"enriched": "Trades"})
CLOSED = Closed("closed", StreamCounts(read=100, accepted=100, refused=0, unknown=0), {"0": 9}, {"0": 1, "1": 1})

sizes = st.integers(0, 10**9)


def sent(spill=None, **changes):
    return replace(CLOSED, counts=replace(CLOSED.counts, **changes), spill=spill or Spilled())


def test_a_window_in_which_all_adds_up_is_balanced():
    found = reconciliation(CLOSED, COUNTS, EQUATIONS)

    assert (found.verdict, found.differences, found.surplus) == ("balanced", (), ())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"silver_new": 89},
            {"bronze_records = silver_new + duplicates + quarantined": 1, "silver_new = enriched + unmatched": -1},
        ),
        (
            {"gold": {**COUNTS.gold, "enriched": {"": 79}}},
            {"silver_new = enriched + unmatched": 1, "enriched = sql Trades": -1},
        ),
        ({"sql": {"Trades": 81}}, {"enriched = sql Trades": -1}),
        ({"gold": {**COUNTS.gold, "unmatched": {}}}, {"silver_new = enriched + unmatched": 10}),
        (
            {"arrived": {("0", 1): 60, ("1", 1): 35}, "holes": [Hole("0", 5, 9)]},
            {"arrived of those accepted": -5, "deleted by the hub unread: partition 0: 5-9": 5},
        ),
        ({"arrived": {("0", 1): 60, ("1", 1): 39}}, {"arrived of those accepted": -1}),
    ],
)
def test_a_difference_is_named_with_its_rows(changes, named):
    found = reconciliation(CLOSED, replace(COUNTS, **changes), EQUATIONS)

    assert found.verdict == "unbalanced"
    assert {difference.name: difference.rows for difference in found.differences} == named


def test_records_that_no_window_counted_need_no_counts_and_must_all_be_kept():
    uncounted = Closed("closed", StreamCounts(read=0, accepted=0, refused=0, unknown=0), {"0": 9}, {"0": 1})
    equations = Equations(is_counted=False)

    found = reconciliation(uncounted, COUNTS, equations)
    lost = reconciliation(uncounted, replace(COUNTS, silver_new=89), equations)

    assert (found.verdict, found.differences, found.surplus) == ("balanced", (), ())
    assert [difference.rows for difference in lost.differences] == [1]


def test_records_that_were_read_and_never_sent_are_a_difference():
    found = reconciliation(sent(read=103), COUNTS, EQUATIONS)

    assert [str(difference) for difference in found.differences] == [
        "read = accepted + refused + unknown + spilled: 103 and 100 (+3)"
    ]


def test_unknown_records_that_arrived_are_named_and_balanced():
    found = reconciliation(sent(accepted=97, unknown=3), COUNTS, EQUATIONS)

    assert (found.verdict, dict(found.surplus)) == ("balanced", {"unknown_arrived": 3})


def test_unknown_records_that_did_not_arrive_are_no_difference():
    found = reconciliation(sent(read=103, unknown=3), COUNTS, EQUATIONS)

    assert (found.verdict, found.surplus) == ("balanced", ())


def test_a_window_whose_missing_records_all_wait_in_the_spill_waits():
    found = reconciliation(sent(Spilled(waiting=4), read=104, spilled=4), COUNTS, EQUATIONS)

    assert (found.verdict, found.differences, found.surplus) == ("waiting", (), ())


def test_spilled_records_that_were_redriven_are_named_and_balanced():
    found = reconciliation(sent(Spilled(redriven=4), accepted=93, unknown=3, spilled=4), COUNTS, EQUATIONS)

    assert (found.verdict, dict(found.surplus)) == ("balanced", {"unknown_arrived": 3, "spilled_arrived": 4})


def test_redriven_records_must_arrive_and_unknown_ones_need_not():
    found = reconciliation(sent(Spilled(redriven=4), read=102, accepted=95, unknown=3, spilled=4), COUNTS, EQUATIONS)

    assert (found.verdict, dict(found.surplus)) == ("balanced", {"spilled_arrived": 4, "unknown_arrived": 1})


@pytest.mark.parametrize(
    ("accepted", "named"),
    [
        (97, {"arrived of those that left the spill": -1}),
        (100, {"arrived of those that left the spill": -4}),
        (103, {"arrived of those accepted": -3, "arrived of those that left the spill": -4}),
    ],
)
@pytest.mark.parametrize("spill", [Spilled(redriven=4), Spilled(redriven=1), Spilled()])
def test_redriven_records_that_did_not_arrive_are_a_difference_and_so_are_those_that_the_spill_lost(
    accepted, named, spill
):
    found = reconciliation(sent(spill, read=accepted + 4, accepted=accepted, spilled=4), COUNTS, EQUATIONS)

    assert found.verdict == "unbalanced"
    assert {difference.name: difference.rows for difference in found.differences} == named


def test_what_the_hub_deleted_is_told_where_redriven_records_are_missing():
    counts = replace(COUNTS, holes=[Hole("0", 5, 8)])

    found = reconciliation(sent(Spilled(redriven=4), read=104, spilled=4), counts, EQUATIONS)

    assert "deleted by the hub unread: partition 0: 5-8" in [difference.name for difference in found.differences]


def test_dead_records_are_a_fault_and_discarded_ones_are_told_of():
    rows = as_rows(COUNTS, sent(Spilled(dead=1, discarded=3), read=104, spilled=4), EQUATIONS)
    discarded = as_rows(COUNTS, sent(Spilled(discarded=4), read=104, spilled=4), EQUATIONS)

    assert rows[-3:] == [("spill", "dead", 1), ("spill", "discarded", 3), ("reconciliation", "unbalanced", 1)]
    assert discarded[-2:] == [("spill", "discarded", 4), ("reconciliation", "balanced", 0)]


def test_what_waits_hides_no_difference():
    counts = replace(COUNTS, arrived={("0", 1): 60, ("1", 1): 39})

    rows = as_rows(counts, sent(Spilled(waiting=4), read=104, spilled=4), EQUATIONS)

    assert rows[-3:] == [
        ("spill", "waiting", 4),
        ("reconciliation", "unbalanced", 1),
        ("difference", "arrived of those accepted", -1),
    ]


def test_records_that_wait_though_the_hub_had_stored_them_are_no_difference():
    found = reconciliation(sent(Spilled(waiting=4), read=101, accepted=97, spilled=4), COUNTS, EQUATIONS)

    assert (found.verdict, dict(found.surplus)) == ("waiting", {"spilled_arrived": 3})


def test_more_in_the_spill_than_was_counted_asks_for_no_record():
    found = reconciliation(sent(Spilled(waiting=4, redriven=4), read=104, spilled=4), COUNTS, EQUATIONS)

    assert (found.verdict, found.differences) == ("waiting", ())


@given(arrived=sizes, accepted=sizes, redriven=sizes, unknown=sizes, lost=st.integers(1, 10**6))
def test_of_accepted_and_redriven_records_none_can_get_lost_unseen(arrived, accepted, redriven, unknown, lost):
    accepted, redriven = accepted + arrived, redriven + lost
    counts = WindowCounts(1, arrived, arrived, 0, 0, {("0", 1): arrived})
    read = accepted + redriven + unknown
    closed = Closed("closed", StreamCounts(read, accepted, 0, unknown, redriven), {}, {}, spill=Spilled(0, redriven))

    found = reconciliation(closed, counts, Equations())

    assert sum(difference.rows for difference in found.differences) == arrived - accepted - redriven


def test_records_of_a_broken_off_attempt_are_named_after_the_one_that_sent_them_again():
    arrived = {("0", 1): 20, ("0", 2): 60, ("1", 1): 40}
    counts = replace(COUNTS, arrived=arrived, bronze_records=120, duplicates=24)
    closed = replace(CLOSED, attempts={"0": 2, "1": 1})

    found = reconciliation(closed, counts, EQUATIONS)

    assert (found.verdict, dict(found.surplus)) == ("balanced", {"resent_by_attempt_2": 20})


def test_records_stored_twice_must_be_duplicates():
    explained = reconciliation(sent(read=97, accepted=97), COUNTS, EQUATIONS)
    beyond = reconciliation(sent(read=90, accepted=90), COUNTS, EQUATIONS)

    assert (explained.verdict, dict(explained.surplus)) == ("balanced", {"stored_twice": 3})
    assert [difference.name for difference in beyond.differences] == ["stored twice = duplicates"]


def test_where_no_attempt_is_named_the_last_one_completed_its_slice():
    counts = replace(COUNTS, arrived={("0", 1): 5, ("0", 2): 100}, bronze_records=105, duplicates=9)

    found = reconciliation(replace(CLOSED, attempts={}), counts, EQUATIONS)

    assert (found.verdict, dict(found.surplus)) == ("balanced", {"resent_by_attempt_2": 5})


def test_a_stream_without_a_pipeline_is_balanced_at_silver():
    found = reconciliation(CLOSED, replace(COUNTS, gold={}, sql={}), Equations())

    assert found.verdict == "balanced"


def test_a_balance_of_several_tables_holds_only_where_each_row_is_in_one_of_them():
    parts = {"near": {"": 50}, "far": {"": 39}, "unknown": {"": 1}}

    balanced = reconciliation(CLOSED, replace(COUNTS, gold=parts), Equations([tuple(parts)]))
    short = reconciliation(CLOSED, replace(COUNTS, gold={**parts, "far": {"": 30}}), Equations([tuple(parts)]))

    assert (balanced.verdict, short.verdict) == ("balanced", "unbalanced")
    assert str(short.differences[0]) == "silver_new = near + far + unknown: 90 and 81 (+9)"


def test_an_open_window_has_counts_and_no_verdict():
    rows = as_rows(COUNTS, None, EQUATIONS)

    assert rows == [
        ("bronze_events", "", 10),
        ("bronze_records", "", 100),
        ("silver_new", "", 90),
        ("duplicates", "", 4),
        ("quarantined", "", 6),
        ("gold", "enriched", 80),
        ("gold", "unmatched", 10),
        ("gold", "unmatched/XYZ", 10),
        ("sql", "Trades", 80),
    ]


def test_a_table_that_lies_in_silver_is_counted_as_such():
    rows = as_rows(COUNTS, None, replace(EQUATIONS, layers={"unmatched": "silver", "enriched": "gold"}))

    assert rows[5:8] == [("gold", "enriched", 80), ("silver", "unmatched", 10), ("silver", "unmatched/XYZ", 10)]


def test_numbers_that_the_hub_deleted_are_told_and_are_no_difference_where_no_record_is_missing():
    rows = as_rows(replace(COUNTS, holes=[Hole("0", 5, 9)]), CLOSED, EQUATIONS)

    assert ("hole", "partition 0: 5-9", 5) in rows
    assert ("reconciliation", "balanced", 0) in rows


def test_a_name_is_never_longer_than_its_column():
    gold = {"unmatched": {"X" * 500: 10}, "enriched": {"": 80}}

    rows = as_rows(replace(COUNTS, gold=gold), CLOSED, EQUATIONS)

    assert max(len(name) for _, name, _ in rows) == 128


@given(silver=sizes, duplicates=sizes, quarantined=sizes, lost=st.integers(1, 10**6))
def test_a_row_that_gets_lost_in_silver_is_always_seen(silver, duplicates, quarantined, lost):
    records = silver + duplicates + quarantined + lost
    counts = WindowCounts(1, records, silver, duplicates, quarantined, {("0", 1): records})
    closed = Closed("closed", StreamCounts(records, records, 0, 0), {}, {})

    found = reconciliation(closed, counts, Equations())

    assert [difference.rows for difference in found.differences] == [lost]


def test_a_rule_that_met_no_row_is_counted_too():
    rows = as_rows(replace(COUNTS, cleaned={"blank": 0, "odd": 2}), None, EQUATIONS)

    assert [row for row in rows if row[0] == "cleaned"] == [("cleaned", "blank", 0), ("cleaned", "odd", 2)]
