import pytest

from emulators.databricks import lifecycle
from emulators.databricks.definitions import make_job
from emulators.databricks.descriptions import describe_job, describe_run
from emulators.databricks.endings import cancelled
from emulators.databricks.lifecycle import Run, TaskRun

SETTINGS = {
    "name": "trades",
    "parameters": [{"name": "window_id", "default": ""}],
    "tasks": [{"task_key": "a", "python_wheel_task": {"package_name": "p", "entry_point": "e"}}],
}
JOB = make_job("trades", SETTINGS)


def a_run(life_cycle="PENDING"):
    tasks = (TaskRun("a", 2),)
    return Run(1, JOB.job_id, "trades", "me", 100, tasks, {"window_id": "w"}, life_cycle=life_cycle, placed_at=130)


@pytest.mark.parametrize(
    ("life_cycle", "state"),
    [("QUEUED", "QUEUED"), ("PENDING", "PENDING"), ("RUNNING", "RUNNING"), ("TERMINATING", "TERMINATING")],
)
def test_a_run_that_goes_on_has_a_state_without_result_and_no_end(life_cycle, state):
    described = describe_run(a_run(life_cycle), JOB, page="")

    assert described["status"]["state"] == state
    assert "result_state" not in described["state"]
    assert "termination_details" not in described["status"]
    assert (described["start_time"], described["end_time"], described["queue_duration"]) == (100, 0, 30)


def test_a_run_that_is_over_has_both_kinds_of_end_and_its_durations():
    run = lifecycle.ended(lifecycle.begun(a_run(), 150), cancelled(), 400)

    described = describe_run(run, JOB, page="https://x")

    assert described["state"]["user_cancelled_or_timedout"] is True
    assert described["status"]["termination_details"]["code"] == "USER_CANCELED"
    durations = ("setup_duration", "execution_duration", "run_duration")
    assert [described[name] for name in durations] == [20, 250, 300]


def test_a_task_is_described_with_what_its_job_states():
    (task,) = describe_run(a_run(), JOB, page="")["tasks"]

    assert (task["run_id"], task["python_wheel_task"]["entry_point"]) == (2, "e")


def test_a_run_outlives_the_job_it_belongs_to():
    described = describe_run(a_run(), None, page="")

    assert described["job_parameters"] == [{"name": "window_id", "default": "", "value": "w"}]


def test_a_listed_job_shows_neither_tasks_nor_parameters():
    assert set(describe_job(JOB, whole=True)["settings"]) - set(describe_job(JOB, whole=False)["settings"]) == {
        "tasks",
        "parameters",
    }


def test_a_schedule_is_shown_as_paused_and_permissions_are_not_shown():
    schedule = {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"}
    permissions = [{"level": "CAN_VIEW", "user_name": "ann"}]
    job = make_job("nightly", SETTINGS | {"schedule": schedule, "permissions": permissions})

    settings = describe_job(job, whole=True)["settings"]

    assert settings["schedule"] == schedule | {"pause_status": "PAUSED"}
    assert "permissions" not in settings
