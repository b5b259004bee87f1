"""The end on demand: asynchronous, by way of TERMINATING, with SIGTERM before SIGKILL."""

import psutil
import pytest


@pytest.mark.parametrize("act", ["wait", "leave_kindly"])
async def test_a_cancelled_run_ends_as_cancelled_whatever_its_program_says(jobs, act):
    run_id = await jobs.run_now("queued", act)
    await jobs.waiting(run_id)
    pid = await jobs.pid(run_id)

    await jobs.cancel(run_id)
    run = await jobs.end(run_id)

    assert (run["state"]["life_cycle_state"], run["state"]["result_state"]) == ("TERMINATED", "CANCELED")
    assert run["status"]["termination_details"]["code"] == "USER_CANCELED"
    assert not psutil.pid_exists(pid)


async def test_a_program_is_asked_before_it_is_killed(jobs):
    run_id = await jobs.run_now("queued", "leave_kindly")
    await jobs.waiting(run_id)

    await jobs.cancel(run_id)
    await jobs.end(run_id)

    assert "asked to leave" in await jobs.log(run_id)


async def test_a_program_that_stays_is_killed_after_a_while_and_its_run_is_terminating_meanwhile(start):
    jobs = await start(kill_after=0.3)
    run_id = await jobs.run_now("queued", "stay")
    await jobs.waiting(run_id)

    await jobs.cancel(run_id)
    terminating = await jobs.run(run_id)
    run = await jobs.end(run_id)

    assert (terminating["state"]["life_cycle_state"], terminating["status"]["state"]) == ("TERMINATING", "TERMINATING")
    assert terminating["end_time"] == 0
    assert run["state"]["result_state"] == "CANCELED"


async def test_the_next_run_waits_until_the_cancelled_one_has_ended(start):
    jobs = await start(kill_after=0.3)
    first = await jobs.run_now("queued", "stay")
    await jobs.waiting(first)
    second = await jobs.run_now("queued", "say")

    await jobs.cancel(first)
    while_terminating = await jobs.run(second)
    ended = await jobs.end(second)

    assert while_terminating["state"]["life_cycle_state"] == "QUEUED"
    assert ended["tasks"][0]["start_time"] >= (await jobs.run(first))["end_time"]


async def test_a_queued_run_is_cancelled_without_ever_running(jobs):
    first = await jobs.run_now("queued", "wait")
    second = await jobs.run_now("queued", "say")

    await jobs.cancel(second)
    run = await jobs.end(second)
    jobs.let_go(first) if jobs.folder(first).exists() else await jobs.cancel(first)

    assert run["state"]["result_state"] == "CANCELED"
    assert not jobs.folder(second).exists()


async def test_cancelling_a_run_that_is_over_changes_nothing(jobs):
    run_id = await jobs.run_now("queued")
    before = await jobs.end(run_id)

    await jobs.cancel(run_id)

    assert await jobs.run(run_id) == before


async def test_what_a_program_started_in_a_session_of_its_own_goes_with_it(jobs):
    run_id = await jobs.run_now("queued", "fork")
    await jobs.waiting(run_id)
    (grandchild,) = psutil.Process(await jobs.pid(run_id)).children()

    await jobs.cancel(run_id)
    await jobs.end(run_id)

    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
