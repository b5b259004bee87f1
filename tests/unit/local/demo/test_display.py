"""What is printed of streams and windows."""

import io

from rich.console import Console

from local.demo.display import print_columns, print_stream_checks
from local.demo.verification import Record, Source, check_stream

WINDOW = {
    "id": "shop-20261122T120000Z",
    "state": "closed",
    "reason": "",
    "slices": [{"slice": 0}],
    "result": {"counts": {stream: {"read": 1, "accepted": 1} for stream in ("pageviews", "stars")}},
}
RECORDS = [Record(f"{WINDOW['id']}/0.1", (1,))]


def printed(print_to, **options):
    sink = io.StringIO()
    print_to(Console(file=sink, width=160, **options))
    return sink.getvalue()


def test_two_streams_of_one_window_are_both_printed_with_their_problems():
    checks = [check_stream(WINDOW, "pageviews", RECORDS, Source(1)), check_stream(WINDOW, "stars", [], Source())]

    for options in ({}, {"force_terminal": True}):
        shown = printed(lambda console: print_stream_checks(console, checks), **options)
        assert shown.count("pageviews") >= 1
        assert "shop-20261122T120000Z, stars: 1 records were accepted but there are 0 different ones" in shown
        assert "not known" in shown


def test_no_columns_are_an_empty_table():
    assert "Counted" in printed(lambda console: print_columns(console, "Counted", []), force_terminal=True)


def test_lines_leave_out_what_a_column_has_no_number_of():
    columns = [
        ("trades", {"silver new": "3", "cosmos both": "-"}),
        ("calls", {"silver new": "-", "cosmos both": "4"}),
    ]

    lines = printed(lambda console: print_columns(console, "Counted", columns)).splitlines()

    assert [line.split() for line in lines] == [
        ["Counted:", "trades"],
        ["silver", "new", "3"],
        ["Counted:", "calls"],
        ["cosmos", "both", "4"],
    ]
