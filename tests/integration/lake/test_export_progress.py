"""The contract of how far tables are exported: what holds for Azure Tables (Azurite) must hold for the fake."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.storage.export_progress import TableExportProgress
from shared.domain.exports import Exported
from shared.errors import CorruptRow

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
streams = (f"orders_{number}" for number in itertools.count())


@pytest.fixture
def progress(store):
    return TableExportProgress(store)


def test_a_table_that_was_never_exported_is_at_its_beginning(progress):
    assert progress.read(next(streams)) == Exported()


@pytest.mark.parametrize("at", [NOON, NOON + timedelta(microseconds=1), None])
def test_what_was_written_is_read(progress, at):
    stream, furthest = next(streams), Exported(2**63 - 1, at)

    assert progress.move(stream, Exported(), furthest)

    assert progress.read(stream) == furthest


def test_it_moves_only_from_where_it_is(progress):
    stream = next(streams)
    progress.move(stream, Exported(), Exported(5, NOON))

    assert not progress.move(stream, Exported(), Exported(9, NOON))
    assert not progress.move(stream, Exported(5), Exported(9, NOON))
    assert progress.read(stream) == Exported(5, NOON)
    assert progress.move(stream, Exported(5, NOON), Exported(9, NOON))


def test_of_many_at_once_one_moves_it(progress):
    stream = next(streams)
    for begin in (Exported(), Exported(1)):
        with ThreadPoolExecutor(8) as threads:
            moved = list(
                threads.map(lambda _, at=begin: progress.move(stream, at, Exported(at.position + 1)), range(8))
            )
        assert sum(moved) == 1


def test_a_row_of_a_newer_version_is_refused_and_left_as_it_is(progress, store):
    stream = next(streams)
    store.insert("exports", {"PartitionKey": stream, "RowKey": "exported", "version": 2, "position": "7"})

    with pytest.raises(CorruptRow, match="newer version"):
        progress.read(stream)
    with pytest.raises(CorruptRow, match="newer version"):
        progress.move(stream, Exported(), Exported(1))


def test_when_rows_were_written_is_noted_beside_the_progress(progress):
    stream = next(streams)
    progress.move(stream, Exported(), Exported(5, NOON))
    assert progress.changed_at(stream) is None

    for at in (NOON, NOON + timedelta(microseconds=1)):
        progress.note_change(stream, at)
        assert progress.changed_at(stream) == at

    assert progress.move(stream, Exported(5, NOON), Exported(9, NOON)), "a note is none of its moves"
