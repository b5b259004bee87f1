"""What may never be read in a log, whatever has gone wrong before."""

from tests.e2e.running_app import secrets_in_logs


def test_no_secret_is_in_any_log(app):
    assert "host.started" in app.log
    assert secrets_in_logs(app) == []
