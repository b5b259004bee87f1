import pytest

from shared.domain.volumes.reconciliation import describe_differences, verdict_of

COUNTS = {"bronze/records": 30, "sql": 27}


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([], None),
        ([{}], None),
        ([{"reconciliation/balanced": 0}], "balanced"),
        ([{"reconciliation/balanced": 0}, {}], "balanced"),
        ([{"reconciliation/balanced": 0}, {"reconciliation/unbalanced": 0}], "unbalanced"),
        ([{"reconciliation": 1, "other/unbalanced": 1}], None),
    ],
)
def test_a_window_balances_where_all_its_compared_streams_do(verdicts, verdict):
    counts = {f"stream{number}": COUNTS | found for number, found in enumerate(verdicts)}

    assert verdict_of(counts) == verdict


def test_differences_are_named_with_their_stream_and_rows():
    counts = {
        "calls": {"difference/silver = gold": 3, "difference/gold = sql": -1, "difference": 9},
        "surveys": COUNTS,
        "ura": {"difference/a = b": 2},
    }

    assert describe_differences(counts) == "calls: silver = gold by 3; calls: gold = sql by -1; ura: a = b by 2"


def test_without_differences_there_is_nothing_to_describe():
    assert describe_differences({"trades": COUNTS}) == ""
