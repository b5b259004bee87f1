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


def folder_of(stream: str, label: str, epoch: str = UNKNOWN) -> str:
    """Name a stream's folder of checkpoints for one hub and epoch; `<stream>` itself where neither is said.

    label: the name that the hub's events bear in bronze, empty for the hub that the stream had first.
    """
    of_epoch = f"-{datetime.fromisoformat(epoch):%Y%m%dT%H%M%S%f}Z" if epoch else ""
    return f"{stream}{of_epoch}" + (f"-hub-{label}" if label else "")


_EXAMPLE = "2026-11-22T10:00:00.000Z"
