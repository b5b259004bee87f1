"""The comparison of source, ledger and hub."""

from local.demo.verification import Record, Source, check_stream

CLOSED = {
    "id": "trades-20261122T120000Z",
    "state": "closed",
    "reason": "",
    "slices": [{"slice": 0}, {"slice": 1}, {"slice": 1}],
    "result": {"counts": {"trades": {"read": 3, "accepted": 3, "refused": 0, "unknown": 0}}, "lost": [], "gaps": {}},
}
RECORDS = [Record(f"{CLOSED['id']}/{part}.1", (number,)) for number, part in ((1, "0"), (2, "0"), (3, "1"))]
SOURCE = Source(3, frozenset({(1,), (2,), (3,)}))


def check(records=RECORDS, source=SOURCE, **changes):
    return check_stream(CLOSED | changes, "trades", records, source)


def again(number, attempt):
    return [*RECORDS, Record(f"{CLOSED['id']}/{attempt}", (number,))]


def test_where_all_agrees_nothing_is_wrong():
    found = check()

    assert (found.problems, found.slices, found.found, found.distinct) == ((), 2, 3, 3)


def test_a_record_that_the_hub_lacks_is_wrong():
    problems = check(RECORDS[:2]).problems

    assert problems[0] == "3 records were accepted but there are 2 different ones"
    assert "1 records of the source are missing, such as [(3,)]" in problems


def test_a_record_that_the_source_never_gave_is_wrong():
    assert "1 records are not the source's, such as [(9,)]" in check([*RECORDS, Record("w/0.1", (9,))]).problems


def test_duplicates_are_explained_by_the_attempts_that_sent_them():
    assert check(again(3, "1.2")).duplicates == {"slice tried again": 1}
    assert check(again(3, "1.1")).duplicates == {"acknowledgement lost": 1}
    assert check(again(3, "close.1")).duplicates == {"sent again by closing": 1}
    assert check(again(3, "1.2")).problems == ()


def test_a_duplicate_of_two_slices_has_no_explanation():
    assert "1 duplicates have no explanation" in check(again(3, "0.1")).problems


def test_a_window_that_is_not_closed_is_wrong_with_its_reason():
    assert check(state="incomplete", reason="2 intervals are lost").problems[0].endswith("2 intervals are lost")


def test_a_source_without_memory_is_held_to_its_count():
    assert check(source=Source(3)).problems == ()
    assert check(source=Source(4)).problems == ("4 records were planned, 3 are there",)


def test_a_source_that_does_not_say_is_not_compared():
    assert check(source=Source()).problems == ()


def test_spilled_records_are_right_once_they_are_redriven_and_in_the_hub():
    counts = {"read": 3, "accepted": 1, "refused": 0, "unknown": 0, "spilled": 2}
    result = {"counts": {"trades": counts}, "lost": [], "gaps": {}}

    redriven = check_stream(CLOSED | {"result": result}, "trades", RECORDS, SOURCE, {"redriven": 2})
    waiting = check_stream(CLOSED | {"result": result}, "trades", RECORDS[:1], Source(), {"waiting": 2})

    assert (redriven.problems, redriven.spill) == ((), {"redriven": 2})
    assert waiting.problems == ("2 records are spilled and not in the hub yet",)


def test_what_a_try_spilled_before_it_failed_came_twice_and_is_right():
    counts = {"read": 3, "accepted": 2, "refused": 0, "unknown": 0, "spilled": 1}
    failed = {"slice": 1, "state": "failed", "counts": {"trades": {"spilled": 2}}}
    window = {"result": {"counts": {"trades": counts}, "lost": [], "gaps": {}}, "slices": [*CLOSED["slices"], failed]}

    found = check_stream(CLOSED | window, "trades", again(3, "1.2"), SOURCE, {"redriven": 3})

    assert found.problems == ()


def test_what_a_hub_may_hold_did_not_take_or_did_not_get_yet_is_wrong():
    counts = {"read": 9, "accepted": 3, "refused": 1, "unknown": 2, "spilled": 3}

    problems = check(result={"counts": {"trades": counts}, "lost": [], "gaps": {}}).problems

    assert "2 records have an unknown outcome" in problems
    assert "1 records were refused" in problems
    assert "3 records are spilled and not in the hub yet" in problems
