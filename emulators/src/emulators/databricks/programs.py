"""From a task of a run to the program that carries it out: command line, environment, folder and log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emulators.databricks.definitions import Job, Task, WheelTask
from emulators.databricks.entry_points import find_entry_point
from emulators.databricks.lifecycle import Run
from emulators.databricks.substitution import filled

RUN_MARK = "LOCAL_DATABRICKS_RUN"
REDACTED = "[REDACTED]"

_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME")


@dataclass(frozen=True, slots=True)
class Program:
    """A process to be: its mark is in the environment of it and of all that it starts."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path

    @property
    def mark(self) -> str:
        """Tell what this process and all that it starts carry in `RUN_MARK`."""
        return self.environment[RUN_MARK]


@dataclass(frozen=True, slots=True)
class TaskRunner:
    """Where tasks run: the bundle's folder, the interpreter, the folder of all runs, our own environment.

    `secrets` names the variables of it that hold secrets, which every task gets and no message shows.
    """

    bundle: Path
    python: Path
    runs: Path
    environment: Mapping[str, str]
    secrets: Sequence[str] = ()

    def program(self, run: Run, job: Job, task: Task, attempt: int) -> Program:
        """Prepare one attempt of a task; LookupError that says why it can't be."""
        wheel = task.python_wheel_task
        if wheel is None:
            raise LookupError(f"The task {task.task_key} is no python_wheel_task; nothing else runs on one machine.")
        entry = find_entry_point(self.bundle / "pyproject.toml", wheel.package_name, wheel.entry_point)
        values = dynamic_values(run, job, task, attempt)
        arguments = [filled(text, values) for text in _arguments(wheel, run)]
        log = self.log_of(run.run_id, task.task_key, attempt)
        return Program(
            command=[str(self.python), "-c", entry.call, *arguments],
            folder=self.folder_of(run.run_id),
            environment=self._environment(job.definition.environment_of(task), mark=str(log)),
            log=log,
        )

    def folder_of(self, run_id: int) -> Path:
        """Tell the working folder of a run."""
        return self.runs / str(run_id)

    def log_of(self, run_id: int, task_key: str, attempt: int) -> Path:
        """Tell where one attempt of a task writes to."""
        return self.folder_of(run_id) / f"{task_key}.{attempt}.log"

    def mark_of(self, run_id: int) -> str:
        """Tell how the marks of a run's processes begin; no other workspace of this machine has the same."""
        return f"{self.folder_of(run_id)}/"

    def redacted(self, text: str) -> str:
        """Take the secrets' values out of what a program wrote."""
        for value in self._secrets().values():
            text = text.replace(value, REDACTED) if value else text
        return text

    def _environment(self, spark_env_vars: Mapping[str, str], *, mark: str) -> dict[str, str]:
        ours = {name: self.environment[name] for name in _HANDED_ON if name in self.environment}
        python = {
            "PYTHONPATH": str(self.bundle / "src"),
            "PYTHONUNBUFFERED": "1",
            "PYSPARK_PYTHON": str(self.python),
            RUN_MARK: mark,
        }
        return ours | dict(spark_env_vars) | self._secrets() | python

    def _secrets(self) -> dict[str, str]:
        return {name: value for name, value in self.environment.items() if name in self.secrets}


def dynamic_values(run: Run, job: Job, task: Task, attempt: int) -> dict[str, str]:
    """Give what `{{…}}` may stand for in the arguments of a task."""
    created = datetime.fromtimestamp(run.created_at / 1000, UTC)
    facts = {
        "job.id": job.job_id,
        "job.name": job.definition.name,
        "job.run_id": run.run_id,
        "job.start_time.timestamp_ms": run.created_at,
        "job.start_time.iso_datetime": created.strftime("%Y-%m-%dT%H:%M:%S"),
        "job.start_time.iso_date": created.strftime("%Y-%m-%d"),
        "task.name": task.task_key,
        "task.run_id": run.task(task.task_key).run_id,
        "task.execution_count": attempt + 1,
    }
    parameters = {f"job.parameters.{name}": value for name, value in run.parameters.items()}
    return {name: str(value) for name, value in facts.items()} | parameters


def _arguments(wheel: WheelTask, run: Run) -> Iterator[str]:
    """Write the arguments: with named ones, the job's parameters are pushed down to the task and win."""
    if wheel.named_parameters is None:
        yield from wheel.parameters
        return
    for name, value in (wheel.named_parameters | run.parameters).items():
        yield f"--{name}={value}"
