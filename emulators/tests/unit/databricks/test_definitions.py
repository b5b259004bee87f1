import pytest

from emulators.databricks.definitions import BundleError, make_job

WHEEL = {"package_name": "p", "entry_point": "e"}
BOTH = {"parameters": ["x"], "named_parameters": {"x": "y"}}


def settings(*tasks, **more):
    return {"name": "n", "tasks": list(tasks)} | more


def task(key, *needs):
    return {"task_key": key, "python_wheel_task": WHEEL, "depends_on": [{"task_key": need} for need in needs]}


def test_a_task_has_the_environment_of_its_own_cluster_or_the_shared_one():
    shared = {"job_cluster_key": "c", "new_cluster": {"spark_env_vars": {"A": "shared"}}}
    own = {"new_cluster": {"spark_env_vars": {"A": "own"}}}

    job = make_job(
        "j", settings(task("a") | {"job_cluster_key": "c"}, task("b") | own, task("c"), job_clusters=[shared])
    )

    environments = [dict(job.definition.environment_of(one)) for one in job.definition.tasks]
    assert environments == [{"A": "shared"}, {"A": "own"}, {}]


BROKEN = {
    "twice": (settings(task("a"), task("a")), "two tasks"),
    "unknown": (settings(task("a", "z")), "no task z"),
    "circle": (settings(task("a", "b"), task("b", "a")), "wait for each other: "),
    "both": (settings({"task_key": "a", "python_wheel_task": WHEEL | BOTH}), "either parameters or named_parameters"),
    "number": (settings(task("a") | {"max_retries": -2}), "max_retries"),
    "name": ({"tasks": []}, "`name`"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_job_that_cannot_run_is_refused_by_name(case):
    stated, named = BROKEN[case]

    with pytest.raises(BundleError, match=f"'j'.*{named}"):
        make_job("j", stated)


DOCUMENTED = {
    "permissions": [{"level": "CAN_VIEW", "user_name": "ann"}],
    "run_as": {"service_principal_name": "p"},
    "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 9}]},
    "schedule": {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"},
    "timeout_seconds": 9,
}


def test_settings_of_a_whole_job_are_read():
    definition = make_job("j", settings(task("a"), **DOCUMENTED)).definition

    assert (definition.permissions[0].name, definition.run_as.name) == ("ann", "p")
    assert definition.health.rules[0].value == definition.timeout_seconds == 9


MISSTATED = {
    "level": ({"permissions": [{"level": "CAN_DANCE", "user_name": "ann"}]}, "CAN_DANCE"),
    "nobody": ({"permissions": [{"level": "CAN_VIEW"}]}, "give one of user_name"),
    "two": ({"run_as": {"user_name": "a", "service_principal_name": "b"}}, "give one of user_name"),
    "metric": ({"health": {"rules": [{"metric": "HEAT", "op": "GREATER_THAN", "value": 9}]}}, "HEAT"),
    "schedule": ({"schedule": {"quartz_cron_expression": "x"}}, "timezone_id"),
}


@pytest.mark.parametrize("case", MISSTATED)
def test_a_misstated_setting_is_refused_by_name(case):
    stated, named = MISSTATED[case]

    with pytest.raises(BundleError, match=named):
        make_job("j", settings(task("a"), **stated))
