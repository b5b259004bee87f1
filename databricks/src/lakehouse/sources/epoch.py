"""Which hub of a name is meant: the time at which it was created, written in one way by all who speak of it."""

from datetime import UTC, datetime

UNKNOWN = ""


class EpochRefused(ValueError):
    """A hub's time of creation can't be read; says what it was and what is expected."""


def epoch_of(created_at: str) -> str:
    """Write a hub's time of creation as ISO text in UTC with milliseconds, so that two such texts compare as times do.

    Empty where it is unknown. Raises EpochRefused.
    """
    if not created_at:
        return UNKNOWN
    try:
        instant = datetime.fromisoformat(created_at)
    except ValueError as error:
        raise EpochRefused(f"created_at: {created_at!r} is no time; expected such as {_EXAMPLE}.") from error
    if instant.tzinfo is None:
        raise EpochRefused(f"created_at: {created_at!r} has no offset; expected such as {_EXAMPLE}.")
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def folder_of(stream: str, epoch: str) -> str:
    """Name a stream's folder of checkpoints for one epoch; `<stream>` itself where the epoch is unknown."""
    if not epoch:
        return stream
    return f"{stream}-{datetime.fromisoformat(epoch):%Y%m%dT%H%M%S%f}Z"


_EXAMPLE = "2026-11-22T10:00:00.000Z"
