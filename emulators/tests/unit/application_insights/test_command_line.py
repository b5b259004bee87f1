from pathlib import Path

import pytest

from emulators.application_insights.__main__ import configuration
from emulators.application_insights.server import kept_key


def test_every_option_reaches_the_service():
    words = ["--port", "20016", "--admin-port", "20017", "--state", "s", "--rows", "5", "--certificate", "server.pem"]

    service = configuration(words)

    assert (service.port, service.admin_port, service.most_rows) == (20016, 20017, 5)
    assert (service.state, service.certificate, service.authenticator) == (Path("s"), Path("server.pem"), None)


def test_tokens_need_the_authority_and_the_tenant(capsys):
    with pytest.raises(SystemExit):
        configuration(["--state", "s", "--issuer", "https://localhost/t"])

    assert "--issuer needs --ca and --identities" in capsys.readouterr().err


def test_the_instrumentation_key_outlives_a_restart_and_only_this_user_can_read_it(tmp_path):
    path = tmp_path / "instrumentation.key"

    assert kept_key(path) == kept_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
