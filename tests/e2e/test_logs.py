"""What may never be read in a log, whatever has gone wrong before."""

from tests.e2e.house import secrets_in_logs


def test_no_secret_is_in_any_log(house):
    assert "host.started" in house.log
    assert secrets_in_logs(house) == []
