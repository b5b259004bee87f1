"""The emulator as a process: it says where it listens, serves, and ends on request."""

import json
import subprocess
import sys

import pytest
import requests

from emulators.tls import make_tls_files

IDENTITIES = {"tenant": "t", "clients": [], "sas": [{"name": "r", "key": "k", "claims": ["Send"]}]}


@pytest.fixture
def arguments(tmp_path):
    tls = make_tls_files(tmp_path)
    (tmp_path / "identities.json").write_text(json.dumps(IDENTITIES))
    named = {"certificate": tls.server, "identities": tmp_path / "identities.json", "authority": tls.authority}
    options = [text for name, path in named.items() for text in (f"--{name}", str(path))]
    ports = [text for kind in ("amqps", "websocket", "admin") for text in (f"--{kind}-port", "0")]
    issuer = ["--issuer", "https://localhost:1/t"]
    return [sys.executable, "-m", "emulators.event_hubs", "--hubs", "trades:2", *options, *ports, *issuer]


def test_the_process_says_where_it_listens_and_ends_on_sigterm(arguments):
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        hubs = requests.get(ready["addresses"]["admin"] + "/hubs", timeout=5).json()["hubs"]
        process.terminate()
        _, log = process.communicate(timeout=10)

    assert (ready["service"], sorted(ready["addresses"])) == ("event_hubs", ["admin", "amqps", "websockets"])
    assert ready["addresses"]["websockets"].endswith("/$servicebus/websocket")
    assert len(hubs["trades"]) == 2
    assert process.returncode == 0
    assert "hub.epoch_started" in log
    assert "Traceback" not in log


def test_a_malformed_hub_ends_the_process_with_the_reason(arguments):
    ended = subprocess.run([*arguments, "--hubs", "trades"], capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 2
    assert "'trades' is not NAME:PARTITIONS" in ended.stderr
