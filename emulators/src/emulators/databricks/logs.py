"""What a task's log shows: its end, and its last message."""

from pathlib import Path

LOG_BYTES = 5 * 2**20
TRACE_LINES = 20
_MESSAGE_CHARACTERS = 1_000


def tail(log: Path) -> tuple[str, bool]:
    """Read the end of a log, and tell whether something was left out; nothing where there is no log."""
    try:
        whole = log.read_bytes()
    except FileNotFoundError:
        return "", False
    return whole[-LOG_BYTES:].decode(errors="replace"), len(whole) > LOG_BYTES


def last_message(log: Path) -> str:
    """Give the last line that holds text, which for a Python program is its error."""
    lines = [line.strip() for line in tail(log)[0].splitlines() if line.strip()]
    return lines[-1][:_MESSAGE_CHARACTERS] if lines else ""


def last_lines(text: str) -> str:
    """Give the last lines of a log's text."""
    return "\n".join(text.splitlines()[-TRACE_LINES:])
