"""Azurite in a process of its own, as tests of storage have it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulators.testing import running_service


@contextmanager
def running_azurite(folder: Path) -> Iterator[str]:
    """Run it on free ports for the length of a block, with its data in `folder`; gives its connection string."""
    ports = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with running_service("storage", "--location", folder, *ports) as addresses:
        yield addresses["connection_string"]
