import pytest

from shared import access
from shared.domain.windows.replay import ReplaySettings
from shared.errors import SettingsError
from tests.unit.shared.settings.test_model import read

HERE = "file:///data/payments.csv"


def test_a_recording_is_read_with_how_it_is_replayed():
    payments = read(
        PAYMENTS_REPLAY_FILE=HERE, PAYMENTS_REPLAY_FROM="7", PAYMENTS_REPLAY_SPEED="2.5", PAYMENTS_SECONDS_TO_LEAD="5",
        PAYMENTS_SECONDS_TO_RUN="600",
    ).feeds["payments"]  # fmt: skip

    assert payments.recording.address == HERE
    assert payments.template.replay == ReplaySettings(lead=5, run=600, speed=2.5, first=7)


def test_nothing_is_replayed_unless_a_file_is_named():
    assert access.replay_plan(read(), None, "payments", ReplaySettings()) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://files.example/payments.csv?sig=hidden", "must be fetched by https"),
        ("https://127.0.0.1:8443/payments.csv?sig=hidden", "which only ONE_MACHINE allows"),
        ("payments.csv?sig=hidden", "must be file:///"),
        ("https://files.example/payments.7z?sig=hidden", "unpack it"),
    ],
)
def test_a_recording_that_may_not_be_fetched_is_refused_without_its_signature(url, words):
    with pytest.raises(SettingsError, match=words) as refused:
        read(PAYMENTS_REPLAY_FILE=url)
    assert "hidden" not in str(refused.value)


def test_a_url_of_this_machine_is_taken_on_one_machine():
    settings = read(PAYMENTS_REPLAY_FILE="http://127.0.0.1:8080/payments.csv", ONE_MACHINE="true")

    assert settings.feeds["payments"].recording.kind == "https"
