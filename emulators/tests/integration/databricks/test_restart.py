"""The service as a process: it announces itself, and whatever ends it leaves no process and loses no run."""

import asyncio
import contextlib
import json
import signal
import sys
from contextlib import asynccontextmanager

import psutil
import pytest

from tests.integration.databricks.conftest import BUNDLE, Jobs


@pytest.fixture
def service(tls, session, entra, tmp_path):
    """Run the service as a process on the same state; gives its client and the process."""
    files = ["--certificate", tls.server, "--ca", tls.authority, "--bundle", BUNDLE, "--state", tmp_path]
    options = ["--port", 0, "--admin-port", 0, "--issuer", entra.issuer, "--python", sys.executable]
    command = [sys.executable, "-m", "emulators.databricks", *map(str, [*files, *options])]

    @asynccontextmanager
    async def run():
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            addresses = json.loads(await process.stdout.readline())["addresses"]
            yield Jobs(addresses, session, await entra.token(), tmp_path), process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            _, errors = await process.communicate()
            assert b"Traceback" not in errors, errors.decode()

    return run


async def gone(*processes: psutil.Process) -> bool:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, timeout=5)
    return not alive


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_service_that_ends_takes_its_processes_along_and_its_successor_tells_what_became_of_the_run(
    service, number
):
    async with service() as (jobs, process):
        lost = await jobs.run_now("queued", "fork", idempotency_token="enrich-1")
        queued = await jobs.run_now("queued", "say")
        await jobs.waiting(lost)
        program = psutil.Process(await jobs.pid(lost))
        (grandchild,) = program.children()
        process.send_signal(number)
        await process.wait()
        assert await gone(program)

    async with service() as (jobs, _):
        run, waited = await jobs.run(lost), await jobs.end(queued)
        again = await jobs.run_now("queued", idempotency_token="enrich-1")

    assert (run["state"]["life_cycle_state"], run["state"]["result_state"]) == ("INTERNAL_ERROR", "FAILED")
    assert run["status"]["termination_details"]["type"] == "INTERNAL_ERROR"
    assert await gone(grandchild)
    assert waited["state"]["result_state"] == "SUCCESS"
    assert again == lost


async def test_a_killed_program_fails_its_run(jobs):
    run_id = await jobs.run_now("queued", "wait")
    await jobs.waiting(run_id)

    psutil.Process(await jobs.pid(run_id)).kill()
    run = await jobs.end(run_id)

    assert run["state"]["result_state"] == "FAILED"
    assert "code -9" in run["state"]["state_message"]
