"""The folder of a platform's state."""

import base64
import json

import pytest

from local.platform.preparing import prepare
from local.platform.state import AlreadyRunning, held_state, is_running, was_killed


def test_identities_are_kept_until_the_state_is_cleared(tmp_path):
    with held_state(tmp_path / "up") as state:
        first = prepare(state, clear=False)

        assert prepare(state, clear=False).tenant == first.tenant
        assert prepare(state, clear=True).tenant != first.tenant


def test_cleared_state_holds_nothing_of_before(tmp_path):
    with held_state(tmp_path / "up") as state:
        prepare(state, clear=False)
        (state.folder / "azurite").mkdir()

        prepare(state, clear=True)

        kept = {"logs", "identities.json", "topic.key", "assets.key", "pii-keys.json", "cosmos.key", "push.key"}
        assert {path.name for path in state.folder.iterdir()} == kept


def test_the_keys_of_personal_data_are_as_old_as_the_state_and_nobody_elses(tmp_path):
    with held_state(tmp_path / "up") as state:
        prepare(state, clear=False)
        first = state.pii_keys.read_text()

        prepare(state, clear=False)
        again = state.pii_keys.read_text()
        prepare(state, clear=True)

        assert (first, state.pii_keys.stat().st_mode & 0o777) == (again, 0o600)
        assert state.pii_keys.read_text() != first
        (entry,) = json.loads(first)["keys"]
        assert entry["version"] == "v1"
        assert len(base64.urlsafe_b64decode(entry["key"] + "=")) == 32


def test_second_platform_of_a_name_is_refused(tmp_path):
    second = held_state(tmp_path / "up")

    with held_state(tmp_path / "up"), pytest.raises(AlreadyRunning, match="already runs"):
        second.__enter__()


def test_state_tells_whether_a_platform_holds_it(tmp_path):
    with held_state(tmp_path / "up") as state:
        assert is_running(state)
        assert not was_killed(state)

    assert not is_running(state)
    assert not was_killed(state)


def test_mark_that_no_process_holds_is_of_a_platform_that_was_killed(tmp_path):
    with held_state(tmp_path / "up") as state:
        pass
    state.running.write_text("4711")

    assert was_killed(state)


def test_failing_platform_leaves_no_mark(tmp_path):
    with pytest.raises(RuntimeError), held_state(tmp_path / "up") as state:
        raise RuntimeError

    assert not was_killed(state)
