import json

import pytest

from emulators.event_hubs.__main__ import configuration
from emulators.storage.account import connection_string


@pytest.fixture
def words(tmp_path):
    identities = tmp_path / "identities.json"
    identities.write_text(json.dumps({"tenant": "t", "clients": [], "sas": []}))
    files = ["--certificate", str(tmp_path / "server.pem"), "--identities", str(identities)]
    return ["--hubs", "trades:1", "--issuer", "https://localhost:1/t", *files]


def test_capture_is_off_unless_a_container_is_named(words):
    assert configuration(words).capture is None


def test_capture_takes_its_storage_from_the_environment(words, monkeypatch):
    monkeypatch.setenv("CAPTURED", connection_string({"blob": "http://127.0.0.1:1"}))
    named = ["--capture-container", "capture", "--capture-storage", "CAPTURED"]

    capture = configuration([*words, *named, "--capture-seconds", "0.5", "--capture-skip-empty"]).capture

    assert (capture.size, capture.seconds, capture.skip_empty) == (10 * 1024 * 1024, 0.5, True)


@pytest.mark.parametrize("storage", [[], ["--capture-storage", "CAPTURE_STORAGE_THAT_IS_NOT_SET"]])
def test_a_container_without_storage_is_refused(words, storage):
    with pytest.raises(SystemExit, match="--capture-storage"):
        configuration([*words, "--capture-container", "capture", *storage])
