"""A host that is killed goes on where it was."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from emulators.functions_host.durable.store import TaskStore
from emulators.functions_host.memory import connect

NEVER = "0 0 0 1 1 *"


def history(state: Path, instance: str) -> list[dict]:
    """Give the raw history of an instance."""
    with closing(connect(state)) as connection:
        return [json.loads(text) for text in TaskStore(connection).history(instance)]


def scheduled(state: Path, instance: str) -> list[int]:
    """Give the task ids in the raw history of an instance."""
    return [event["EventId"] for event in history(state, instance) if event["EventId"] >= 0]


def test_an_orchestration_survives_the_hosts_death_in_mid_activity(launch, until, tmp_path):
    host = launch()
    host.start("gated", "killed", "gate")
    until(lambda: host.effect("gate.begun"), "the activity's begin")
    before = host.status("killed")

    dead = host.kill()
    until(lambda: len(host.effect("gate.begun")) == 2, "the activity's second run")
    (host.effects / "gate.open").touch()

    assert host.reach("killed")["output"] == [1, 2]
    assert host.process_id() != dead
    assert host.status("killed")["createdTime"] == before["createdTime"]
    assert scheduled(tmp_path / "state.sqlite", "killed") == [0, 1]
    assert "it was killed by signal 9" in host.log()


def test_timers_and_children_survive_the_hosts_death(launch, until, tmp_path):
    host = launch()
    host.start("sleeps", "asleep", 2.5)
    host.start("window", "window", {"legs": 3, "leg": {"slices": 5, "seconds": 0.2, "every": 0.3}})
    until(lambda: host.effect("window.leg2.1"), "the second slices")
    assert host.reach("asleep", "Running")

    host.kill()

    assert host.reach("window")["output"] == [{"done": [0, 1, 2, 3, 4], "stopped": False}] * 3
    assert host.reach("asleep")["output"] >= 1.5  # a timer is set in whole seconds and may fire early
    created, fired = (event for event in history(tmp_path / "state.sqlite", "asleep") if "FireAt" in event)
    due = [datetime.fromisoformat(moment) for moment in (created["Timestamp"], created["FireAt"], fired["FireAt"])]
    assert [(moment - due[0]).total_seconds() for moment in due] == [0, 2.5, 2.5]  # it is not set anew
    for n in range(3):
        ids = scheduled(tmp_path / "state.sqlite", f"window.leg{n}")
        assert ids == sorted(set(ids))
        assert all(1 <= len(host.effect(f"window.leg{n}.{slice_}")) <= 2 for slice_ in range(5))


def test_thirty_orchestrations_survive_three_deaths(launch, tmp_path):
    host = launch()
    for n in range(30):
        host.start("mixed", f"mixed-{n}", {"key": n, "failures": 0})
        if n in {10, 20, 29}:
            host.kill()

    for n in range(30):
        output = host.reach(f"mixed-{n}")["output"]
        assert (output["sum"], output["winner"], output["child"]) == (2 * n + 2, True, [n, None])
        ids = scheduled(tmp_path / "state.sqlite", f"mixed-{n}")
        assert ids == sorted(set(ids))


def test_a_host_that_was_stopped_leaves_all_to_the_next_one(launch, until):
    first = launch()
    first.start("gated", "handed-over", "gate")
    first.start("waits", "listening")
    until(lambda: first.effect("gate.begun"), "the activity's begin")

    assert first.stop() < 30
    second = launch()
    (second.effects / "gate.open").touch()
    second.call("POST", "/runtime/webhooks/durabletask/instances/listening/raiseEvent/go", json=7)

    assert second.reach("handed-over")["output"] == [1, 2]
    assert second.reach("listening")["output"]["go"] == 7


def test_a_function_that_exceeds_its_time_ends_the_host_and_its_activity_is_run_again(launch):
    host = launch("short", OFTEN=NEVER)
    first = host.process_id()

    host.call("POST", "/start/outlives", json={"id": "slow"})

    assert host.reach("slow")["output"] == 2
    assert host.process_id() != first
    assert "Timeout value of 00:00:01 exceeded by function 'Functions.slow_at_first' (Id: '" in host.log()
    assert "a function exceeded functionTimeout" in host.log()


def test_a_timer_fires_on_schedule_at_start_and_never_twice_at_once(launch, until):
    host = launch("short", OFTEN="* * * * * *")
    for _ in range(3):
        host.call("POST", "/admin/functions/often")

    until(lambda: len(host.effect("often.ended")) >= 5, "five runs")
    host.stop()

    runs = [json.loads(line)["began"] for line in host.effect("often")]
    ends = [json.loads(line) for line in host.effect("often.ended")]
    assert all(began >= ended for began, ended in zip(runs[1:], ends, strict=False))
    assert host.effect("at_start") == ["false"]


def test_a_timer_that_was_missed_runs_late_once(launch, until, tmp_path):
    host = launch("short", OFTEN="0 * * * * *")
    until(lambda: host.effect("at_start"), "the run at start")
    host.stop()
    before = len(host.effect("often"))
    long_ago = json.dumps(["2026-01-01T00:00:00+00:00"] * 2)
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as connection:
        connection.execute("UPDATE facts SET value = ? WHERE name = 'timer:often'", (long_ago,))
        connection.commit()

    host = launch("short", OFTEN="0 * * * * *")
    until(lambda: len(host.effect("often")) > before, "the late run")

    late = json.loads(host.effect("often")[before])
    assert (late["late"], late["last"]) == (True, "2026-01-01T00:00:00+00:00")


def test_a_timer_gets_its_client_and_fires_by_hand(launch, until):
    host = launch()

    assert host.call("POST", "/admin/functions/nightly", json={"input": ""}).status_code == 202

    until(lambda: host.effect("timer"), "the run")
    seen = json.loads(host.effect("timer")[0])
    assert (seen["past_due"], seen["known"]) == (False, False)
    assert seen["status"]["Next"].endswith("03:00:00+00:00")


def test_a_host_whose_supervisor_is_killed_ends_too_and_another_can_take_over(launch, until):
    orphaned = launch()
    orphaned.start("gated", "left", "gate")
    until(lambda: orphaned.effect("gate.begun"), "the activity's begin")

    orphaned.process.kill()
    orphaned.process.wait(5)
    orphaned.process.stdout.close()
    host = launch()
    (host.effects / "gate.open").touch()

    assert host.reach("left")["output"] == [1, 2]
