"""How the demo is shown: live progress on a terminal, plain lines elsewhere, and tables of what was counted."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.demo.polling import Windows
from local.demo.verification import StreamCheck

NONE: Final = "-"
"""What stands in a column where it has no such number."""

_PLAIN_EVERY_SECONDS = 5.0
_REPEAT_EVERY_SECONDS = 30.0


class WindowsDisplay:
    """Shows the windows while they run; use as a context manager."""

    def __init__(self, console: Console) -> None:
        """Show it on this console."""
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._next_line = 0.0

    def __enter__(self) -> Self:
        """Begin the live display."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the live display."""
        if self._live:
            self._live.stop()

    def show(self, windows: Windows) -> None:
        """Show how far the windows are; a plain line only every 5 s."""
        if self._live:
            self._live.update(self._progress(windows))
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _PLAIN_EVERY_SECONDS
            parts = [f"{feed}: {_state(window)}, {_read(window)} records" for feed, window in windows.items()]
            self._console.out(f"{_when(windows)} | {' | '.join(parts)}", highlight=False)

    def _progress(self, windows: Windows) -> Table:
        table = Table("feed", "window", "slices", "records read", title=_when(windows), title_justify="left")
        for feed, window in windows.items():
            table.add_row(feed, _state(window), _slices(window), str(_read(window)))
        return table


class LineDisplay:
    """Shows one line of progress: in place on a terminal; elsewhere when it changes, and each half minute."""

    def __init__(self, console: Console) -> None:
        """Show it on this console."""
        self._console = console
        self._status = console.status("") if console.is_terminal else None
        self._last_line = ""
        self._next_line = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        if self._status:
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""
        if self._status:
            self._status.stop()

    def show(self, line: str) -> None:
        """Show how it stands now."""
        if self._status:
            self._status.update(line)
        elif line != self._last_line or time.monotonic() >= self._next_line:
            self._last_line, self._next_line = line, time.monotonic() + _REPEAT_EVERY_SECONDS
            self._console.out(f"{datetime.now(UTC):%H:%M:%S} {line}", highlight=False)


def _when(windows: Windows) -> str:
    now = datetime.now(UTC)
    times = sorted(_times(window) for window in windows.values() if window)
    if not times:
        return "the timer has not opened a window yet"
    start, end = next(((start, end) for start, end in times if now < end), times[-1])
    if now < start:
        return f"a window begins in {(start - now).total_seconds():.0f} s"
    if now < end:
        return f"second {(now - start).total_seconds():.0f} of the window"
    return "the last window is closing"


def _times(window: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(window["start"]), datetime.fromisoformat(window["end"])


def print_stream_checks(console: Console, checks: Sequence[StreamCheck]) -> None:
    """Print the counts of each stream of each window, from the source to the hub, and what is wrong."""
    columns = [(check.window, _numbers(check)) for check in checks]
    print_columns(console, "Counted from the source to the hub, or the SQL table", columns)
    print_problems(console, [(f"{check.window}, {check.stream}", check.problems) for check in checks])


def print_columns(console: Console, title: str, columns: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Print numbers under their headings: a column each on a terminal, elsewhere a line for each that is there."""
    if console.is_terminal:
        console.print(_table(title, columns))
        return
    for heading, numbers in columns:
        console.out(f"{title}: {heading}", highlight=False)
        for name, value in numbers.items():
            if value != NONE:
                console.out(f"  {name:<34} {value}", highlight=False)


def print_problems(console: Console, problems: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print what is wrong, and with what."""
    for subject, sentences in problems:
        for sentence in sentences:
            console.print(f"[bold red]WRONG[/] {subject}: {sentence}", highlight=False)


def _table(title: str, columns: Sequence[tuple[str, Mapping[str, str]]]) -> Table:
    table = Table("what", *(heading for heading, _ in columns), title=title, title_justify="left")
    for name in columns[0][1] if columns else ():
        table.add_row(name, *(numbers[name] for _, numbers in columns))
    return table


def _numbers(check: StreamCheck) -> dict[str, str]:
    duplicates = ", ".join(f"{count} {reason}" for reason, count in check.duplicates.items())
    return {
        "stream": check.stream,
        "state": check.state,
        "planned slices": str(check.slices),
        "records that the source gave": "not known" if check.source is None else str(check.source),
        "records read": str(check.counts.get("read", 0)),
        "accepted there": str(check.counts.get("accepted", 0)),
        "refused": str(check.counts.get("refused", 0)),
        "unknown outcome": str(check.counts.get("unknown", 0)),
        "spilled while the hub was away": str(check.counts.get("spilled", 0)),
        "redriven to the hub": str(check.spill.get("redriven", 0)),
        "found there": str(check.found),
        "distinct keys": str(check.distinct),
        "duplicates": f"{check.found - check.distinct}" + (f" ({duplicates})" if duplicates else ""),
        "gaps found / trades filled in": f"{check.gaps.get('found', 0)} / {check.gaps.get('filled', 0)}",
        "lost intervals": str(check.lost),
    }


def _state(window: Mapping[str, Any] | None) -> str:
    return str(window["state"]) if window else "not due yet"


def _slices(window: Mapping[str, Any] | None) -> str:
    rows = window["slices"] if window else []
    return ", ".join(f"{row['slice']} {row['state']}" for row in rows) or NONE


def _read(window: Mapping[str, Any] | None) -> int:
    rows = window["slices"] if window else []
    return sum(counts.get("read", 0) for row in rows for counts in row["counts"].values())
