"""The life of a run as values: each step takes a run and gives the run after it. Moments are epoch milliseconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from emulators.databricks.endings import Ending, LifeCycle, died_with_service, skipped, success

_PLACED = ("PENDING", "RUNNING", "TERMINATING")
_OVER = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")

type Admission = Literal["PENDING", "QUEUED", "SKIPPED"]


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One task of a run; `attempt` counts from 0, `pid` is that of the process while it lives."""

    task_key: str
    run_id: int
    life_cycle: LifeCycle = "BLOCKED"
    ending: Ending | None = None
    attempt: int = 0
    started_at: int = 0
    ended_at: int = 0
    pid: int | None = None

    @property
    def is_over(self) -> bool:
        """Say whether the task has come to its end."""
        return self.life_cycle in _OVER


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job; `stopping` is the end that was asked for and is not reached yet."""

    run_id: int
    job_id: int
    name: str
    creator: str
    created_at: int
    tasks: tuple[TaskRun, ...]
    parameters: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    life_cycle: LifeCycle = "PENDING"
    ending: Ending | None = None
    stopping: Ending | None = None
    placed_at: int = 0
    begun_at: int = 0
    ended_at: int = 0

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will happen to the run."""
        return self.life_cycle in _OVER

    @property
    def is_placed(self) -> bool:
        """Say whether the run takes one of the job's slots."""
        return self.life_cycle in _PLACED

    def task(self, key: str) -> TaskRun:
        """Give one of the tasks."""
        return next(task for task in self.tasks if task.task_key == key)


def admission(runs: Iterable[Run], limit: int, *, queue: bool) -> Admission:
    """Decide what becomes of a new run of a job that has these runs and so many slots."""
    waiting = list(runs)
    if sum(run.is_placed for run in waiting) < limit and not any(run.life_cycle == "QUEUED" for run in waiting):
        return "PENDING"
    return "QUEUED" if queue else "SKIPPED"


def admitted(run: Run, decided: Admission, limit: int) -> Run:
    """Let a new run take a slot, wait for one, or be skipped."""
    if decided == "SKIPPED":
        return ended(run, skipped(limit), run.created_at)
    return replace(run, life_cycle=decided, placed_at=run.created_at if decided == "PENDING" else 0)


def due(runs: Iterable[Run], limit: int) -> list[Run]:
    """Choose the queued runs of a job that may take a slot now, the oldest first."""
    known = sorted(runs, key=lambda run: run.run_id)
    free = limit - sum(run.is_placed for run in known)
    return [run for run in known if run.life_cycle == "QUEUED"][: max(free, 0)]


def taken_from_queue(run: Run, now: int) -> Run:
    """Give a queued run its slot."""
    return replace(run, life_cycle="PENDING", placed_at=now)


def begun(run: Run, now: int) -> Run:
    """Let a run that has its cluster go to work, unless its end was asked for."""
    return replace(run, life_cycle="RUNNING", begun_at=now) if run.life_cycle == "PENDING" else run


def stopped(run: Run, ending: Ending, now: int) -> Run:
    """End a run: at once where it is only queued, else by way of TERMINATING; the first request for it holds."""
    if run.life_cycle == "QUEUED":
        return ended(run, ending, now)
    if run.life_cycle in {"PENDING", "RUNNING"}:
        return replace(run, life_cycle="TERMINATING", stopping=ending)
    return run


def ended(run: Run, ending: Ending, now: int) -> Run:
    """End a run and whatever of its tasks has not ended."""
    final = run.stopping or ending
    tasks = tuple(task if task.is_over else task_ended(task, final, now) for task in run.tasks)
    return replace(run, life_cycle=final.life_cycle, ending=final, ended_at=now, tasks=tasks)


def abandoned(run: Run, now: int) -> Run:
    """End a run that the service lost with its processes."""
    return ended(replace(run, stopping=None), died_with_service(), now)


def with_task(run: Run, task: TaskRun) -> Run:
    """Put the news of one task into its run."""
    return replace(run, tasks=tuple(task if one.task_key == task.task_key else one for one in run.tasks))


def task_begun(task: TaskRun, attempt: int, now: int, pid: int) -> TaskRun:
    """Let a task run as a process."""
    started = task.started_at or now
    return replace(task, life_cycle="RUNNING", attempt=attempt, started_at=started, pid=pid)


def task_waiting(task: TaskRun) -> TaskRun:
    """Let a failed task wait for its next attempt."""
    return replace(task, life_cycle="WAITING_FOR_RETRY", pid=None)


def task_ended(task: TaskRun, ending: Ending, now: int) -> TaskRun:
    """End a task."""
    return replace(task, life_cycle=ending.life_cycle, ending=ending, ended_at=now, pid=None)


def outcome(tasks: Sequence[TaskRun]) -> Ending:
    """Conclude a run's end from its tasks': the first failure of its own, else success."""
    failures = [
        (task.ended_at, task.task_key, task.ending)
        for task in tasks
        if task.ending and task.ending.result not in {"SUCCESS", "UPSTREAM_FAILED"}
    ]
    if not failures:
        return success()
    _, key, ending = min(failures, key=lambda failure: failure[0])
    return replace(ending, message=f"Task {key} failed with message: {ending.message}")
