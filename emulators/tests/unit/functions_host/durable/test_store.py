import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from emulators.functions_host.durable.history import EventType, activity_result, event
from emulators.functions_host.durable.model import Call, Instance, Parent, Plan, Retry, Task, Turn
from emulators.functions_host.durable.store import TaskStore
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
    return store.commit(work, Turn(after, (event(EventType.ORCHESTRATOR_STARTED, NOW), work.arrived), **turn))


def running(store, **turn):
    store.create(instance(), NOW)
    return commit(store, instance(), **turn)


def result(task=0):
    return activity_result(task, "work", result="1", error=None, now=NOW)


def test_a_new_instance_is_pending_with_its_start_to_deliver(store):
    assert store.create(instance(input='"x"'), NOW) is None

    work = store.next_work("i")
    assert (work.instance.status, work.arrived["EventType"], work.past) == ("Pending", EventType.EXECUTION_STARTED, [])


@pytest.mark.parametrize("status", ["Pending", "Running", "Suspended"])
def test_an_instance_that_has_not_ended_stands_in_the_way(store, status):
    store.create(instance(), NOW)
    if status != "Pending":
        commit(store, instance())
        store.switch("i", status, now=NOW)

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
    plan = Plan(3, 2, (1,), (), {2: Retry(WORK, 1, 3, 500)})
    kept = instance(output="1", custom_status="2", parent=Parent("p", "pe", 4), plan=plan, input="0")
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
    assert store.next_work("i").arrived["TaskScheduledId"] == 0
    assert store.outstanding().activities == []


def test_a_result_for_an_earlier_execution_is_dropped(store):
    (activity,) = running(store, tasks=(Task(0, WORK),)).activities
    store.switch("i", "Terminated", now=NOW)
    store.create(instance(execution="second"), NOW)

    assert store.finish_activity(activity, result()) is False


def test_a_cancelled_timer_does_not_fire(store):
    (timer,) = running(store, tasks=(Task(0, Call("timer", ""), LATER),), cancelled=(0,)).timers

    assert store.fire_timer(timer, event(EventType.TIMER_FIRED, NOW, TimerId=0)) is False
    assert store.next_work("i") is None


def test_an_ended_child_tells_its_parent(store):
    running(store, tasks=(Task(0, Call("child", "kid", None, "k")),))
    child = store.read("k")

    effects = commit(
        store, Instance("k", child.execution, "kid", "Completed", NOW, NOW, output="5", parent=child.parent)
    )

    assert effects.wake == ["i"]
    assert store.next_work("i").arrived["Result"] == "5"


def test_a_child_whose_id_is_taken_fails_at_its_parent(store):
    store.create(instance("k"), NOW)

    effects = running(store, tasks=(Task(0, Call("child", "kid", None, "k")),))

    assert effects.wake == ["i"]
    assert "status Pending already exists" in store.next_work("i").arrived["Reason"]


def test_a_suspended_instance_keeps_its_messages_until_it_is_resumed(store):
    running(store)
    store.raise_event("i", event(EventType.EVENT_RAISED, NOW, Name="go"))

    before, _ = store.switch("i", "Suspended", now=NOW)
    asleep = store.next_work("i")
    store.switch("i", "Running", now=NOW)

    assert (before, asleep) == ("Running", None)
    assert store.next_work("i").arrived["Name"] == "go"


def test_an_instance_suspended_during_its_episode_stays_suspended(store):
    store.create(instance(), NOW)
    work = store.next_work("i")
    store.switch("i", "Suspended", now=NOW)

    store.commit(work, Turn(instance(), ()))

    assert store.read("i").status == "Suspended"


def test_an_instance_terminated_during_its_episode_stays_terminated(store):
    store.create(instance(), NOW)
    work = store.next_work("i")
    store.switch("i", "Terminated", now=NOW, reason="enough")

    effects = store.commit(work, Turn(instance(), (), (Task(0, WORK),)))

    assert (store.read("i").status, store.read("i").output) == ("Terminated", '"enough"')
    assert effects.activities == store.outstanding().activities == []


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
