"""Rows of AppMetrics of a good day and of bad ones, written by hand after the table of metrics."""

from datetime import UTC, datetime, timedelta

from infra.checks.kql import Row

AT = datetime(2026, 11, 22, 13, tzinfo=UTC)
FEEDS = {"trades": "trades", "payments": "transactions"}
TIMERS = ("open_due_windows", "keep_in_order", "retry_pending_alerts")
OUTCOMES = ("read", "accepted", "refused", "unknown", "spilled", "lost")
STAGES = ("opening", "closing", "enrichment", "measurement")


def of(day: str) -> list[Row]:
    """Give the rows of a day: those of a good one, with what is otherwise."""
    rows = _good() if day != "timer_silent" else [row for row in _good() if row["Name"] != "ingestion.ticks"]
    return rows + _OTHERWISE.get(day, [])


def _row(name: str, value: float, minutes_ago: float = 1, *, count: int = 1, **dimensions: str) -> Row:
    at = (AT - timedelta(minutes=minutes_ago)).isoformat()
    each = {"Sum": float(value), "Min": value / count, "Max": value / count, "ItemCount": count}
    return {"TimeGenerated": at, "Name": f"ingestion.{name}", **each, "Properties": dimensions, "Type": "AppMetrics"}


def _good() -> list[Row]:
    rows = [_row("ticks", 1, ago, timer=timer) for timer in TIMERS for ago in range(1, 15)]
    for feed, stream in FEEDS.items():
        rows += _of_feed(feed, stream)
    rows += [_row("alerts.pending", 0, ago) for ago in range(1, 5)]
    return [*rows, _row("alerts", 1, kind="recovery", outcome="sent")]


def _of_feed(feed: str, stream: str) -> list[Row]:
    records = dict.fromkeys(OUTCOMES, 0) | {"read": 1000, "accepted": 990, "spilled": 10}
    rows = [_row("records", count, feed=feed, stream=stream, outcome=outcome) for outcome, count in records.items()]
    return [
        *rows,
        *(row for ago in (2, 7) for row in _at_housekeeping(feed, stream, ago)),
        _row("windows.ended", 1, feed=feed, state="closed"),
        _row("send.duration", 2.5, count=100, stream=stream, sink="hub"),
        _row("gap.duration", 4, feed=feed),
        _row("run.duration", 4000, count=1, feed=feed, state="succeeded"),
        _row("verdicts", 1, feed=feed, verdict="normal"),
        _row("events.billed", 990, stream=stream),
    ]


def _at_housekeeping(feed: str, stream: str, ago: float) -> list[Row]:
    """Give the gauges; what was late seven minutes ago is done by now."""
    late = 4000 if ago > 5 else 0
    return [
        _row("windows", 1, ago, feed=feed, state="open"),
        *(_row("waiting.age", late, ago, feed=feed, stage=stage) for stage in STAGES),
        _row("spill.records", late, ago, stream=stream),
        _row("spill.age", late, ago, stream=stream),
    ]


_OTHERWISE = {
    "window_not_closed": [_row("waiting.age", 901, 1.5, feed="trades", stage="closing")],
    "window_ended_badly": [
        _row("windows.ended", 1, feed="trades", state="incomplete"),
        _row("windows.ended", 1, feed="payments", state="failed"),
    ],
    "no_measurement": [_row("waiting.age", 1801, 1.5, feed="trades", stage="measurement")],
    "unbalanced": [_row("alerts", 1, kind="unbalanced", outcome="put_off")],
    "spill_old": [_row("spill.age", 601, 1.5, stream="trades"), _row("spill.records", 10, 1.5, stream="trades")],
}
