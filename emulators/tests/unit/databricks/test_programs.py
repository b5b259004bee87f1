from pathlib import Path

import pytest

from emulators.databricks.definitions import make_job
from emulators.databricks.entry_points import find_entry_point
from emulators.databricks.lifecycle import Run, TaskRun
from emulators.databricks.programs import RUN_MARK, TaskRunner

PROJECT = """
[project]
name = "lake-house"
[project.scripts]
trades = "lakehouse.jobs.trades:main"
[project.entry-points."lakehouse.tasks"]
payments = "lakehouse.jobs.payments:main"
"""
WHEEL = {"package_name": "lake_house", "entry_point": "trades"}


@pytest.fixture
def pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path / "pyproject.toml"


@pytest.fixture
def program(pyproject):
    """The program of a job's only task; `environment` is the service's own."""

    def make(environment=(), secrets=(), **wheel):
        task_runner = TaskRunner(pyproject.parent, Path("/python"), Path("/runs"), dict(environment), secrets)
        cluster = {"spark_env_vars": {"SOURCE": "kafka", "PATH": "/cluster"}}
        task = {"task_key": "a", "python_wheel_task": WHEEL | wheel, "new_cluster": cluster}
        job = make_job("trades", {"name": "trades", "tasks": [task]})
        run = Run(7, job.job_id, "trades", "me", 1_800_000_000_000, (TaskRun("a", 8),), {"window_id": "w", "x": "new"})
        return task_runner.program(run, job, job.definition.tasks[0], 1)

    return make


@pytest.mark.parametrize(
    ("name", "module", "function"),
    [
        ("trades", "lakehouse.jobs.trades", "main"),
        ("payments", "lakehouse.jobs.payments", "main"),
        ("other", "Lake.House", "other"),
    ],
)
def test_an_entry_point_is_found_by_name_or_is_a_function_of_the_package(pyproject, name, module, function):
    entry = find_entry_point(pyproject, "Lake.House", name)

    assert (entry.module, entry.function) == (module, function)


def test_another_wheel_than_the_one_built_here_is_not_found(pyproject):
    with pytest.raises(LookupError, match=r"name lakehouse could not be found.*builds lake-house"):
        find_entry_point(pyproject, "lakehouse", "trades")


def test_a_project_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(LookupError, match=r"pyproject\.toml describes no project"):
        find_entry_point(tmp_path / "pyproject.toml", "lakehouse", "trades")


def test_a_program_calls_the_entry_point_with_its_arguments_filled(program):
    made = program(parameters=["--window={{job.parameters.window_id}}", "{{task.execution_count}}", "{{task.run_id}}"])

    assert made.command[:2] == ["/python", "-c"]
    assert "from lakehouse.jobs.trades import main" in made.command[2]
    assert made.command[3:] == ["--window=w", "2", "8"]
    assert made.log == Path("/runs/7/a.1.log")


def test_pushed_down_job_parameters_win_over_named_ones(program):
    assert program(named_parameters={"x": "old", "y": "1"}).command[3:] == ["--x=new", "--y=1", "--window_id=w"]


def test_a_program_sees_secrets_and_cluster_variables_but_not_the_rest_of_our_environment(program):
    ours = {"PATH": "/bin", "HOME": "/me", "NAMED": "2", "OTHER": "3"}

    environment = dict(program(ours, secrets=["NAMED"]).environment)

    assert environment.pop("PYTHONPATH").endswith("/src")
    assert environment.pop("PYSPARK_PYTHON") == "/python"
    assert environment.pop(RUN_MARK) == "/runs/7/a.1.log"
    secrets = {"NAMED": "2"}
    ours = {"HOME": "/me", "PATH": "/cluster", "SOURCE": "kafka", "PYTHONUNBUFFERED": "1"}
    assert environment == secrets | ours


def test_what_a_program_wrote_is_shown_without_the_secrets():
    task_runner = TaskRunner(Path(), Path(), Path(), {"A": "abc", "B": "", "PATH": "/bin"}, ["A", "B"])

    assert task_runner.redacted("abc /bin") == "[REDACTED] /bin"
