"""One service as a child process, whether it runs, fails or hangs."""

import asyncio
import os
import sys

import psutil
import pytest

from emulators.processes import supervision
from emulators.processes.supervision import ServiceFailed, supervised_service

READY = 'import json, sys, time; print(json.dumps({"addresses": {"url": "http://x"}}), flush=True); '
FOREVER = "time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def service(code, log, **environment):
    return supervised_service(
        "thing", [sys.executable, "-c", code], log=log, environment=dict(os.environ) | environment
    )


async def start_and_stop(code, log):
    async with service(code, log) as started:
        return started


@pytest.fixture
def others():
    """The processes that other tests of this run keep meanwhile."""
    return set(psutil.Process().children())


@pytest.fixture
def log(tmp_path):
    return tmp_path / "thing.log"


async def test_service_is_ready_when_it_has_announced_its_addresses(log):
    async with service(READY + FOREVER, log) as started:
        assert started.addresses == {"url": "http://x"}
        assert psutil.pid_exists(started.child.pid)

    assert not psutil.pid_exists(started.child.pid)


async def test_both_outputs_of_a_service_land_in_its_log(log):
    code = READY + "print('said', flush=True); print('warned', file=sys.stderr)"

    async with service(code, log) as started:
        await started.failure()

    assert {"said", "warned"} <= set(log.read_text().splitlines())


async def test_service_that_ends_at_start_is_reported_with_its_last_words(log):
    with pytest.raises(ServiceFailed, match=r"thing ended at start with code 3\.[\s\S]*no such hub"):
        await start_and_stop("import sys; print('no such hub', file=sys.stderr); sys.exit(3)", log)


async def test_service_that_announces_nonsense_is_reported_and_stopped(log, others):
    with pytest.raises(ServiceFailed, match="announced b'hello"):
        await start_and_stop("import time; print('hello', flush=True); " + FOREVER, log)

    assert set(psutil.Process().children()) <= others


async def test_service_that_never_gets_ready_is_stopped(log, others, monkeypatch):
    monkeypatch.setattr(supervision, "START_SECONDS", 0.2)

    with pytest.raises(ServiceFailed, match="did not start within"):
        await start_and_stop("import time; " + FOREVER, log)

    assert set(psutil.Process().children()) <= others


async def test_end_of_a_service_is_reported_with_its_code_and_last_words(log):
    async with service(READY + "sys.exit('out of luck')", log) as started:
        failure = await started.failure()

    assert "thing ended with code 1" in str(failure)
    assert "out of luck" in str(failure)


async def test_service_that_does_not_listen_to_sigterm_is_killed(log, monkeypatch):
    monkeypatch.setattr(supervision, "STOP_SECONDS", 0.2)

    started = await start_and_stop(DEAF + READY + FOREVER, log)

    assert started.child.process.returncode == -9


async def test_what_a_service_left_in_its_group_ends_with_it(log):
    leave = f"import subprocess; child = subprocess.Popen([sys.executable, '-c', 'import time; {FOREVER}']); "
    tell = "print(child.pid, file=sys.stderr, flush=True); "
    code = READY.replace("print(", leave + tell + "print(", 1)

    await start_and_stop(code + FOREVER, log)

    left = int(log.read_text().split()[0])
    assert not psutil.pid_exists(left) or psutil.Process(left).wait(timeout=5) is None


async def test_start_that_takes_too_long_for_its_caller_leaves_no_process(log, others):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(start_and_stop("import time; " + FOREVER, log), 0.3)

    assert set(psutil.Process().children()) <= others
