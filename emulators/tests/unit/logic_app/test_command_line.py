from pathlib import Path

import pytest

from emulators.logic_app.__main__ import configuration
from tests.unit.logic_app.conftest import SOURCE


def test_every_option_reaches_the_service():
    words = ["--port", "20010", "--admin-port", "20011", "--certificate", "server.pem", "--outbox", "out"]

    service = configuration([*words, "--definitions", str(SOURCE.parents[1])])

    assert (service.port, service.admin_port) == (20010, 20011)
    assert (service.certificate, service.outbox) == (Path("server.pem"), Path("out"))
    assert [workflow.name for workflow in service.workflows] == ["order_notice"]


def test_a_definition_that_is_not_understood_ends_with_the_reason(tmp_path, capsys):
    with pytest.raises(SystemExit):
        configuration(["--certificate", "x", "--outbox", "y", "--definitions", str(tmp_path)])

    assert "holds no <name>/workflow.json" in capsys.readouterr().err
