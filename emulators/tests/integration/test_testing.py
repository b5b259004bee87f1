"""An emulator for the length of a block."""

import pytest
import requests

from emulators.testing import EmulatorFailed, running_service


def test_service_listens_within_the_block_and_not_after_it(tmp_path):
    with running_service("exchange", "--history-seconds", 0, log=tmp_path / "log") as addresses:
        answer = requests.get(f"{addresses['admin']}/health", timeout=5)

    assert answer.status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{addresses['admin']}/health", timeout=5)


def test_service_that_ends_at_start_is_named_with_its_log(tmp_path):
    with pytest.raises(EmulatorFailed, match=r"exchange ended before it listened: see .*log"):
        running_service("exchange", "--port", "none", log=tmp_path / "log").__enter__()

    assert "invalid int value: 'none'" in (tmp_path / "log").read_text()
