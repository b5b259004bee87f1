import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from emulators.functions_host.durable.history import EventType, activity_result, event
from emulators.functions_host.durable.model import Call, Instance, Parent, Task, Turn
from emulators.functions_host.durable.store import TaskStore
from emulators.functions_host.errors import AppRefused
from emulators.functions_host.memory import connect

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
WORK = Call("activity", "work", "1")


def instance(instance_id="i", execution="e", **fields):
    return Instance(instance_id, execution, "main", fields.pop("status", "Running"), NOW, NOW, **fields)


@pytest.fixture
def store():
    with closing(sqlite3.connect(":memory:")) as connection:
        yield TaskStore(connection)


def commit(store, after, **turn):
    work = store.next_work(after.id)
    return store.commit(work, Turn(after, (event(EventType.ORCHESTRATOR_STARTED, NOW), *work.arrived), **turn))


def running(store, **turn):
    store.create(instance(), NOW)
    return commit(store, instance(), **turn)


def result(task=0):
    return activity_result(task, "work", result="1", error=None, now=NOW)


def test_a_new_instance_is_pending_with_its_start_to_deliver(store):
    assert store.create(instance(input='"x"'), NOW) is None

    work = store.next_work("i")
    assert (work.instance.status, work.past) == ("Pending", [])
    assert [one["EventType"] for one in work.arrived] == [EventType.EXECUTION_STARTED]


@pytest.mark.parametrize("status", ["Pending", "Running", "Suspended"])
def test_an_instance_that_has_not_ended_stands_in_the_way(store, status):
    store.create(instance(), NOW)
    if status != "Pending":
        commit(store, instance(status=status))

    assert store.create(instance(execution="second"), NOW) == status
    assert store.read("i").execution == "e"


@pytest.mark.parametrize("status", ["Completed", "Failed", "Terminated"])
def test_an_ended_instance_may_be_started_again_with_a_clean_history(store, status):
    store.create(instance(), NOW)
    commit(store, instance(status=status))

    assert store.create(instance(execution="second"), NOW) is None
    assert store.history("i") == []
    assert store.read("i").execution == "second"


def test_everything_of_an_instance_survives_the_file(tmp_path):
    kept = instance(output="1", custom_status="2", parent=Parent("p", "pe", 4, "main"), input="0")
    with closing(connect(tmp_path / "state")) as connection:
        TaskStore(connection).create(kept, NOW)
        commit(TaskStore(connection), kept)

    with closing(connect(tmp_path / "state")) as connection:
        assert TaskStore(connection).read("i") == kept


def test_an_episode_schedules_and_all_of_it_is_outstanding(store):
    effects = running(
        store, tasks=(Task(0, WORK), Task(1, Call("timer", ""), LATER), Task(2, Call("child", "kid", "1", "k")))
    )

    assert store.outstanding() == effects
    assert (effects.activities[0].name, effects.timers[0].fire_at, effects.wake) == ("work", LATER, ["k"])


def test_an_activitys_result_is_delivered_once(store):
    (activity,) = running(store, tasks=(Task(0, WORK),)).activities

    assert store.finish_activity(activity, result()) is True
    assert store.finish_activity(activity, result()) is False
    assert [one["TaskScheduledId"] for one in store.next_work("i").arrived] == [0]
    assert store.outstanding().activities == []


def test_a_result_for_an_earlier_execution_is_dropped(store):
    (activity,) = running(store, tasks=(Task(0, WORK),)).activities
    store.switch("i", "Terminated", now=NOW)
    commit(store, instance(status="Terminated"))
    store.create(instance(execution="second"), NOW)

    assert store.finish_activity(activity, result()) is False


def test_a_timer_fires_once_and_to_nobody_after_the_end(store):
    timers = running(store, tasks=tuple(Task(n, Call("timer", ""), LATER) for n in range(2))).timers
    fired = event(EventType.TIMER_FIRED, NOW, TimerId=0)

    assert [store.fire_timer(timers[0], fired) for _ in range(2)] == [True, False]
    commit(store, instance(status="Completed"))
    assert store.fire_timer(timers[1], fired) is False


def test_an_ended_child_tells_its_parent(store):
    running(store, tasks=(Task(0, Call("child", "kid", None, "k")),))
    child = store.read("k")

    effects = commit(
        store, Instance("k", child.execution, "kid", "Completed", NOW, NOW, output="5", parent=child.parent)
    )

    assert effects.wake == ["i"]
    assert [one["Result"] for one in store.next_work("i").arrived] == ["5"]


def test_a_child_whose_id_is_taken_fails_at_its_parent(store):
    store.create(instance("k"), NOW)

    effects = running(store, tasks=(Task(0, Call("child", "kid", None, "k")),))

    assert effects.wake == ["i"]
    assert "status Pending already exists" in store.next_work("i").arrived[0]["Reason"]


def test_all_that_has_arrived_is_delivered_together_in_order_of_arrival(store):
    (activity,) = running(store, tasks=(Task(0, WORK),)).activities
    store.raise_event("i", event(EventType.EVENT_RAISED, NOW, Name="go"))
    store.finish_activity(activity, result())
    store.switch("i", "Suspended", now=NOW, reason="pause")

    work = store.next_work("i")

    assert [one["EventType"] for one in work.arrived] == [
        EventType.EVENT_RAISED, EventType.TASK_COMPLETED, EventType.SUSPENDED,
    ]  # fmt: skip
    assert work.arrived[-1]["Reason"] == "pause"


def test_what_arrives_during_an_episode_is_left_for_the_next(store):
    store.create(instance(), NOW)
    work = store.next_work("i")
    before, effects = store.switch("i", "Terminated", now=NOW, reason="enough")

    store.commit(work, Turn(instance(), ()))

    assert (before, effects.wake) == ("Pending", ["i"])
    assert [one["Input"] for one in store.next_work("i").arrived] == ["enough"]


def test_a_new_generation_has_no_history_and_keeps_only_what_came_from_outside(store):
    store.create(instance(), NOW)
    (activity,) = commit(store, instance(), tasks=(Task(0, WORK),)).activities
    store.raise_event("i", event(EventType.EVENT_RAISED, NOW, Name="first"))
    work = store.next_work("i")
    store.finish_activity(activity, result())
    store.raise_event("i", event(EventType.EVENT_RAISED, NOW, Name="late"))
    started = event(EventType.EXECUTION_STARTED, NOW, Name="main")

    store.commit(work, Turn(instance(execution="second", input="2"), (), fresh=(started,)))

    again = store.next_work("i")
    assert (again.instance.execution, again.instance.input, again.past) == ("second", "2", [])
    assert [one["Name"] for one in again.arrived] == ["main", "late"]


def test_a_state_file_of_another_version_is_refused_by_name(tmp_path):
    with closing(connect(tmp_path / "state")) as connection:
        connection.execute("CREATE TABLE instances (id TEXT PRIMARY KEY, plan TEXT NOT NULL)")

        with pytest.raises(AppRefused, match="another version of this host: delete it"):
            TaskStore(connection)


def test_an_ended_instance_is_neither_switched_nor_reached(store):
    store.create(instance(), NOW)
    commit(store, instance(status="Completed"))

    assert store.switch("i", "Terminated", now=NOW)[0] == "Completed"
    assert store.raise_event("i", event(EventType.EVENT_RAISED, NOW, Name="go")) == "Completed"
    assert (store.read("i").status, store.next_work("i")) == ("Completed", None)


def test_an_unknown_instance_is_none(store):
    assert store.switch("x", "Terminated", now=NOW)[0] is None
    assert store.raise_event("x", event(EventType.EVENT_RAISED, NOW, Name="go")) is None


def test_purging_leaves_nothing(store):
    store.create(instance(), NOW)
    commit(store, instance(status="Completed"))

    assert store.purge(["i", "unknown"]) == 1
    assert (store.read("i"), store.history("i")) == (None, [])
