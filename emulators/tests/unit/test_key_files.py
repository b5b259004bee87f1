"""Keys in files."""

import stat

import pytest

from emulators.key_files import make_key, read_key, write_key


def test_key_reads_back_as_it_was_written_and_only_this_user_can_read_it(tmp_path):
    path = tmp_path / "key"
    path.write_text("older")
    key = make_key()

    write_key(key, path)

    assert read_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_empty_file_is_no_key(tmp_path):
    (tmp_path / "key").write_text("\n")

    with pytest.raises(ValueError, match="key is empty"):
        read_key(tmp_path / "key")
