import pytest

from shared.domain.volumes.reconciliation import describe_faults, verdict_of

COUNTS = {"bronze/records": 30, "sql": 27}


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([], None),
        ([{}], None),
        ([{"reconciliation/balanced": 0}], "balanced"),
        ([{"reconciliation/balanced": 0}, {}], "balanced"),
        ([{"reconciliation/balanced": 0}, {"reconciliation/unbalanced": 0}], "unbalanced"),
        ([{"reconciliation/balanced": 0}, {"reconciliation/waiting": 0}], "waiting"),
        ([{"reconciliation/unbalanced": 0}, {"reconciliation/waiting": 0}], "unbalanced"),
        ([{"reconciliation/of a newer version": 0}], "balanced"),
        ([{"reconciliation": 1, "other/unbalanced": 1}], None),
    ],
)
def test_a_window_balances_where_all_its_compared_streams_do(verdicts, verdict):
    counts = {f"stream{number}": COUNTS | found for number, found in enumerate(verdicts)}

    assert verdict_of(counts) == verdict


def test_differences_and_holes_of_what_does_not_balance_are_named_with_their_stream_and_rows():
    counts = {
        "calls": {"reconciliation/unbalanced": 0, "difference/silver_new = facts": 3, "difference/facts = Facts": -1},
        "surveys": COUNTS | {"reconciliation/balanced": 0, "hole/partition 1: 0-4": 5},
        "ura": {"reconciliation/unbalanced": 0, "hole/partition 0: 5-9": 5, "difference/a = b": 2, "difference": 9},
        "stars": {"reconciliation/unbalanced": 0},
    }

    assert describe_faults(counts, counts.keys(), overdue=False) == (
        "calls: silver_new = facts by 3; calls: facts = Facts by -1; "
        "ura: a = b by 2; ura: 5 events of partition 0: 5-9 were deleted unread; stars: it does not balance"
    )


def test_a_stream_that_was_not_compared_is_a_fault_where_it_had_to_be():
    counts = {"trades": COUNTS, "others": COUNTS}

    assert describe_faults(counts, ["trades", "stars"], overdue=False) == (
        "trades: it was not reconciled; stars: it was not reconciled"
    )


def test_of_what_balances_there_is_nothing_to_describe():
    assert describe_faults({"trades": COUNTS | {"reconciliation/balanced": 0}}, ["trades"], overdue=True) == ""


def test_what_waits_in_the_spill_is_a_fault_only_where_it_is_overdue():
    counts = {"trades": COUNTS | {"reconciliation/waiting": 0, "spill/waiting": 12, "spill/redriven": 3}}

    assert describe_faults(counts, ["trades"], overdue=False) == ""
    assert describe_faults(counts, ["trades"], overdue=True) == "trades: 12 records wait in the spill: GET /api/spill"


def test_dead_records_are_a_fault_beside_the_differences_and_discarded_ones_are_none():
    spill = {"spill/dead": 4, "spill/waiting": 12, "spill/discarded": 3}
    counts = {
        "trades": COUNTS | spill | {"reconciliation/unbalanced": 1},
        "stars": COUNTS | spill | {"reconciliation/unbalanced": 2, "difference/a = b": 2},
        "ura": COUNTS | {"reconciliation/balanced": 0, "spill/discarded": 3},
    }

    assert describe_faults(counts, counts, overdue=False) == (
        "trades: 4 records are dead in the spill: GET /api/spill says why; "
        "stars: a = b by 2; stars: 4 records are dead in the spill: GET /api/spill says why"
    )
