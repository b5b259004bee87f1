"""When a window is balanced, and how each row of difference is named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.counting.counts import Hole, WindowCounts
from lakehouse.counting.reconciling import Equations, as_rows, reconciliation
from lakehouse.window import Closed, StreamCounts

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


def sent(**changes):
    return replace(CLOSED, counts=replace(CLOSED.counts, **changes))


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


def test_spilled_records_are_accounted_for_while_they_are_kept_elsewhere():
    found = reconciliation(sent(read=104, spilled=4), COUNTS, EQUATIONS)

    assert (found.verdict, found.surplus) == ("balanced", ())


def test_spilled_records_that_were_sent_later_are_named_and_balanced():
    found = reconciliation(sent(accepted=93, unknown=3, spilled=4), COUNTS, EQUATIONS)

    assert (found.verdict, dict(found.surplus)) == ("balanced", {"unknown_arrived": 3, "spilled_arrived": 4})


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
