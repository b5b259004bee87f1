"""local.settings.json."""

import json
import stat

import pytest

from local.platform.settings_file import SettingsFileUnusable, merge_settings


@pytest.fixture
def files(tmp_path):
    sample = tmp_path / "local.settings.sample.json"
    sample.write_text(json.dumps({"IsEncrypted": False, "Values": {"FEEDS": "trades", "CA_BUNDLE": ""}}))
    return tmp_path / "local.settings.json", sample


def values(path):
    return json.loads(path.read_text())["Values"]


def test_absent_file_is_made_from_the_sample(files):
    path, sample = files

    changed = merge_settings(path, sample, {"CA_BUNDLE": "ca.pem"})

    assert changed == ["CA_BUNDLE"]
    assert values(path) == {"FEEDS": "trades", "CA_BUNDLE": "ca.pem"}
    assert values(sample)["CA_BUNDLE"] == ""


def test_a_users_other_values_stay_as_they_are(files):
    path, sample = files
    path.write_text(json.dumps({"Values": {"FEEDS": "payments", "MINE": "1"}, "Host": {"LocalHttpPort": 7072}}))

    merge_settings(path, sample, {"CA_BUNDLE": "ca.pem"})

    assert values(path) == {"FEEDS": "payments", "MINE": "1", "CA_BUNDLE": "ca.pem"}
    assert json.loads(path.read_text())["Host"] == {"LocalHttpPort": 7072}


def test_second_merge_changes_nothing(files):
    path, sample = files
    merge_settings(path, sample, {"CA_BUNDLE": "ca.pem"})

    assert merge_settings(path, sample, {"CA_BUNDLE": "ca.pem"}) == []


def test_only_this_user_can_read_the_result(files):
    merge_settings(*files, {"CA_BUNDLE": "ca.pem"})

    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "read as JSON"), ("[]", '"Values"'), ("{}", '"Values"'), ('{"IsEncrypted": true, "Values": {}}', "decrypt")],
)
def test_unusable_file_is_named_and_left_alone(files, text, reason):
    path, sample = files
    path.write_text(text)

    with pytest.raises(SettingsFileUnusable, match=reason):
        merge_settings(path, sample, {"CA_BUNDLE": "ca.pem"})

    assert path.read_text() == text
