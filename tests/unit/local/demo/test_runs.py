"""The runs of windows, and what their tables count."""

import io

from rich.console import Console

from local.demo.runs import check_run, lines_of, print_run_checks, progress_line, runs_have_ended

RUN = {"state": "succeeded", "message": "TERMINATED SUCCESS", "lookups": {"assets": "assets-1"}}


def window(run=RUN, counts=None, reconciliation="balanced"):
    enrichment = {"runs": [run], "counts": counts or {}, "counts_note": "no counts", "reconciliation": reconciliation}
    return {"id": "shop-20261122T120000Z", "enrichment": enrichment}


def printed(*checks):
    sink = io.StringIO()
    print_run_checks(Console(file=sink, width=200), checks)
    return sink.getvalue()


def test_a_run_that_succeeded_with_balanced_tables_has_no_problem():
    assert check_run(window(counts={"stars": {"sql": {"Stars": 3}}})).problems == ()


def test_a_run_that_failed_is_a_problem_with_its_message():
    failed = RUN | {"state": "failed", "message": "out of memory"}

    assert check_run(window(failed)).problems == ("the run is failed: out of memory",)


def test_tables_that_do_not_balance_are_a_problem_with_the_difference_of_each_stream():
    counts = {"stars": {"difference": {"gold": -1}}, "pageviews": {}}

    (problem,) = check_run(window(counts=counts, reconciliation="unbalanced")).problems

    assert problem == "the tables are unbalanced: {'stars': {'gold': -1}, 'pageviews': {}}"


def test_tables_that_wait_for_the_spill_are_a_problem_with_what_is_in_it():
    counts = {"stars": {"spill": {"waiting": 5, "redriven": 2}}}

    (problem,) = check_run(window(counts=counts, reconciliation="waiting")).problems

    assert problem == "the tables are waiting: {'stars': {'waiting': 5, 'redriven': 2}}"


def test_a_window_that_was_not_counted_is_a_problem_with_the_note():
    assert check_run(window(reconciliation=None)).problems == ("the tables are not counted: no counts",)


def test_every_stream_of_a_window_is_printed():
    shown = printed(check_run(window(counts={"pageviews": {"sql": {"Views": 70}}, "stars": {"sql": {"Views": 7}}})))

    assert [line.split()[-1] for line in shown.splitlines() if line.strip().startswith("stream")] == [
        "pageviews",
        "stars",
    ]
    assert [line.split()[-1] for line in shown.splitlines() if line.strip().startswith("sql")] == ["70", "7"]


def test_lines_are_what_was_counted_of_any_stream_from_the_hub_to_the_last_table():
    trades = {
        "sql": {"Trades": 5},
        "difference": {"a = b": 1},
        "gold": {"unmatched/BTC": 2, "unmatched": 2, "matched": 5},
        "bronze_events": 7,
        "spill": {"redriven": 2},
    }
    calls = {"gold": {"busy": 9}, "reconciliation": {"balanced": 0}, "silver_new": 3, "unknown": 4}

    assert lines_of([trades, calls]) == [
        ("bronze_events", ""),
        ("silver_new", ""),
        ("gold", "busy"),
        ("gold", "matched"),
        ("gold", "unmatched"),
        ("sql", "Trades"),
        ("spill", "redriven"),
    ]


def test_what_was_not_counted_of_a_stream_is_left_out():
    shown = printed(check_run(window(counts={"calls": {"gold": {"busy": 9}}, "stars": {"bronze_events": 7}})))

    found = [line.split() for line in shown.splitlines()]
    assert [line[-1] for line in found if line[:2] == ["gold", "busy"]] == ["9"]
    assert [line[-1] for line in found if line[:2] == ["bronze", "events"]] == ["7"]


def test_a_window_without_counts_is_printed_all_the_same():
    assert "not counted" in printed(check_run(window(reconciliation=None)))


def test_runs_have_ended_when_each_window_has_one_that_is_over():
    running = RUN | {"state": "running"}

    assert runs_have_ended({"shop": window()})
    assert not runs_have_ended({"shop": window(), "gps": window(running)})
    assert not runs_have_ended({"shop": window(), "gps": None})


def test_progress_says_how_each_run_stands():
    assert progress_line({"shop": window(), "gps": None}) == "shop: TERMINATED SUCCESS"
