import gzip
import io
import zipfile

import pytest

from shared.clients.recordings import blocks, index
from shared.clients.recordings.blocks import RecordingFile
from shared.clients.recordings.fake import FakeRemote
from shared.clients.recordings.index import LineIndex
from shared.clients.recordings.store import KeptRecordings
from shared.domain.recording import recording_location
from shared.errors import FeedRefused, Unavailable

LINES = [b"line %d \xc3\xa9\n" % number for number in range(1, 2001)]
CONTENT = b"".join(LINES)


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def file_of(folder, content, name="recording.csv"):
    path = folder / name
    path.write_bytes(content)
    return RecordingFile(path, f"file://{path}", LineIndex.read(folder / "index.lines"))


def read(file, line=1):
    found = list(file.blocks(line))
    return found[0].first if found else None, b"".join(block.content for block in found)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", 101)
    monkeypatch.setattr(index, "_STEP", 300)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("packed", [CONTENT, gzip.compress(CONTENT), zipped(one=CONTENT)], ids=["plain", "gz", "zip"])
@pytest.mark.parametrize("line", [1, 2, 999, 2000])
def test_a_file_is_read_from_any_line_on_wherever_its_blocks_are_cut(tmp_path, packed, line):
    file = file_of(tmp_path, packed)

    assert read(file, line) == (line, b"".join(LINES[line - 1 :]))
    assert read(file, line) == (line, b"".join(LINES[line - 1 :]))


@pytest.mark.usefixtures("small_blocks")
def test_what_was_read_once_is_not_read_again_to_find_a_line(tmp_path):
    file = file_of(tmp_path, CONTENT)
    for block in file.blocks(1):
        if block.first > 1900:
            break  # a slice reads its own lines and no more

    at_line, at_byte = LineIndex.read(tmp_path / "index.lines").before(1900)

    assert 1850 < at_line <= 1900
    assert CONTENT[at_byte:].startswith(LINES[at_line - 1])


def test_a_last_line_without_its_break_is_a_line(tmp_path):
    assert read(file_of(tmp_path, b"one\ntwo")) == (1, b"one\ntwo\n")


@pytest.mark.usefixtures("small_blocks")
def test_a_line_longer_than_any_may_be_is_cut_and_the_next_one_has_its_number(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "LONGEST_LINE", 1000)

    found = list(file_of(tmp_path, b"one\n" + b"x" * 9000 + b"\nthree\n").blocks(1))

    assert [(block.first, block.cut) for block in found] == [(1, False), (2, True), (3, False)]
    assert found[2].content == b"three\n"
    assert len(found[1].content) < 2000


def test_a_line_that_ends_beyond_the_file_is_no_line(tmp_path):
    assert read(file_of(tmp_path, CONTENT), 5000) == (None, b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c rest", "is a 7z archive: unpack it"),
        (b"\xfd7zXZ\0 rest", "is packed by xz: unpack it"),
        (zipped(one=b"1", two=b"2"), "has 2 files; a zip must hold one"),
        (gzip.compress(CONTENT)[:-20], "is damaged"),
        (b"", "is empty"),
    ],
)
def test_a_file_that_can_not_be_read_is_named_with_what_to_do(tmp_path, content, words):
    file = file_of(tmp_path, content)

    with pytest.raises(FeedRefused, match=words):
        _ = file.first_line(), list(file.blocks(1))


def test_a_file_that_changed_since_its_window_was_planned_is_refused_by_name(tmp_path):
    path = tmp_path / "payments.csv"
    path.write_bytes(CONTENT)
    kept, location = KeptRecordings(tmp_path / "kept", {}), recording_location(f"file://{path}")
    identity = kept.identify(location)
    path.write_bytes(CONTENT + b"more\n")

    with pytest.raises(FeedRefused, match=r"payments.csv has changed since"):
        kept.open(location, identity)


def test_a_blob_is_copied_once_and_read_from_its_copy(tmp_path):
    location = recording_location("blob:recordings/payments.csv")
    remote = FakeRemote({location.address: CONTENT})
    kept = KeptRecordings(tmp_path, {"blob": remote})
    identity = kept.identify(location)

    first, second = kept.open(location, identity), kept.open(location, identity)

    assert first.path.read_bytes() == second.path.read_bytes() == CONTENT
    assert remote.fetched == 1


def test_a_copy_goes_on_serving_its_windows_when_the_blob_has_changed(tmp_path):
    location = recording_location("blob:recordings/payments.csv")
    remote = FakeRemote({location.address: CONTENT})
    kept = KeptRecordings(tmp_path, {"blob": remote})
    identity = kept.identify(location)
    kept.open(location, identity)
    remote.files[location.address] = b"other\n"

    assert kept.open(location, identity).path.read_bytes() == CONTENT
    assert kept.identify(location) != identity


def test_a_blob_that_changed_before_it_was_copied_is_refused_and_leaves_no_file(tmp_path):
    location = recording_location("blob:recordings/payments.csv")
    remote = FakeRemote({location.address: CONTENT})
    kept = KeptRecordings(tmp_path / "kept", {"blob": remote})
    identity = kept.identify(location)
    remote.files[location.address] = b"other\n"

    with pytest.raises(FeedRefused, match="has changed since"):
        kept.open(location, identity)
    assert not (tmp_path / "kept").exists()


def test_a_blob_that_changes_while_it_is_copied_is_refused_and_its_mixture_is_never_read(tmp_path):
    location = recording_location("blob:recordings/payments.csv")
    remote = FakeRemote({location.address: CONTENT}, meanwhile={location.address: CONTENT.swapcase()})
    kept = KeptRecordings(tmp_path, {"blob": remote})
    identity = kept.identify(location)

    for _ in range(2):
        with pytest.raises(FeedRefused, match="has changed since"):
            kept.open(location, identity)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_breaks_off_is_no_copy(tmp_path):
    location = recording_location("https://files.example/payments.csv?sig=hidden")
    remote = FakeRemote({location.address: CONTENT})
    kept = KeptRecordings(tmp_path, {"https": remote})
    identity = kept.identify(location)
    remote.failures = [None, Unavailable("away")]

    with pytest.raises(Unavailable):
        kept.open(location, identity)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("location", ["file:///nowhere/payments.csv", "blob:recordings/payments.csv"])
def test_a_recording_that_is_not_there_is_named(tmp_path, location):
    with pytest.raises(FeedRefused, match=r"payments.csv"):
        KeptRecordings(tmp_path, {"blob": FakeRemote()}).identify(recording_location(location))
