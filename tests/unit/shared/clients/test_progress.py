from shared.clients.progress import ProgressLine, SendProgress


def test_no_line_is_due_before_a_thousand_events_or_ten_seconds():
    progress = SendProgress(since=0.0)
    progress.begin(999)
    progress.settle(events=999, rows=999)

    assert progress.line(now=9.9) is None


def test_a_thousand_events_make_a_line():
    progress = SendProgress(since=0.0)
    progress.begin(3_000)
    progress.settle(events=1_000, rows=2_000)

    assert progress.line(now=4.0) == ProgressLine(rate=500.0, pending=1_000, failed=0, sent=2_000, events=1_000)


def test_ten_seconds_make_a_line_even_where_nothing_moves():
    progress = SendProgress(since=0.0)
    progress.begin(5)

    assert progress.line(now=10.0) == ProgressLine(rate=0.0, pending=5, failed=0, sent=0, events=0)


def test_each_line_gives_the_rate_since_the_one_before():
    progress = SendProgress(since=0.0, every_events=10)
    progress.begin(30)
    progress.settle(events=10, rows=10)
    progress.line(now=1.0)
    progress.settle(events=10, rows=20)

    line = progress.line(now=2.0)

    assert line is not None
    assert (line.rate, line.sent, line.pending) == (20.0, 30, 0)


def test_what_is_given_up_is_failed_and_no_longer_pending():
    progress = SendProgress(since=0.0)
    progress.begin(8)
    progress.fail(3)

    line = progress.line(now=10.0)

    assert line is not None
    assert (line.failed, line.pending) == (3, 5)
