"""The contract of places of recordings: what holds for blob storage (Azurite) and for URLs must hold for the fake."""

import pytest

from shared.clients.recordings.store import HEAD, KeptRecordings
from shared.errors import FeedRefused

LINES = b"".join(b"line %d\n" % number for number in range(1_000_000))  # several pieces of a fetch


def fetched(place):
    pieces = []
    place.remote.fetch(place.location, pieces.append)
    return b"".join(pieces)


def test_a_file_is_known_by_its_size_and_first_bytes_and_fetched_whole(place):
    place.put(LINES)

    found = place.remote.look(place.location)

    assert (found.size, found.head) == (len(LINES), LINES[:HEAD])
    assert fetched(place) == LINES


def test_a_file_has_another_version_once_it_has_changed_and_the_same_until_then(place):
    place.put(LINES)
    first, again = place.remote.look(place.location), place.remote.look(place.location)
    place.put(LINES[:-2] + b"!\n")

    changed = place.remote.look(place.location)

    assert first == again
    assert (changed.size, changed.head) == (first.size, first.head)
    assert changed.version != first.version


def test_a_file_that_is_not_there_is_none_and_can_not_be_fetched(place):
    assert place.remote.look(place.location) is None
    with pytest.raises(FeedRefused):
        fetched(place)


def test_an_empty_file_has_no_bytes(place):
    place.put(b"")

    assert (place.remote.look(place.location).size, fetched(place)) == (0, b"")


def test_a_copy_has_the_files_lines_and_one_of_a_changed_file_is_refused(place, tmp_path):
    place.put(LINES)
    kept = KeptRecordings(tmp_path / "kept", {place.kind: place.remote})
    other = KeptRecordings(tmp_path / "of another instance", {place.kind: place.remote})
    identity = kept.identify(place.location)

    file = kept.open(place.location, identity)
    place.put(LINES + b"more\n")

    assert b"".join(block.content for block in file.blocks(1)) == LINES
    with pytest.raises(FeedRefused, match="has changed since its window was planned"):
        other.open(place.location, identity)
