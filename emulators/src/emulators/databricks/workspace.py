"""The workspace: the bundle's jobs, their runs, and the runs that are being carried out now."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Annotated

import msgspec

from emulators.databricks import lifecycle
from emulators.databricks.definitions import TRIGGERS, Job, Queue
from emulators.databricks.endings import cancelled
from emulators.databricks.execution import Context, Execution
from emulators.databricks.lifecycle import Run, TaskRun
from emulators.databricks.processes import kill_marked
from emulators.databricks.refusals import invalid, wrong_state

logger = logging.getLogger(__name__)


class RunRequest(msgspec.Struct, frozen=True):
    """The body of `jobs/run-now`."""

    job_id: int
    idempotency_token: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    job_parameters: dict[str, str] = {}
    queue: Queue | None = None


class Workspace:
    """Starts runs and sees to it that each comes to an end. `jobs` are by id."""

    def __init__(self, jobs: Mapping[int, Job], context: Context) -> None:
        """Begin with the runs that the records hold."""
        self.jobs = jobs
        self.context = context
        self._executions: dict[int, Execution] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Clean up after an earlier service, go on with its queue, and leave no process behind at the end."""
        self._end_left_overs()
        for job_id, job in self.jobs.items():
            for name in set(TRIGGERS) & set(job.settings):
                logger.info("databricks.not_started_by_itself job=%s setting=%s", job.key, name)
            self._advance(job_id)
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def job(self, job_id: int) -> Job:
        """Give a job; raise Refusal where there is none."""
        if job_id not in self.jobs:
            raise invalid(f"Job {job_id} does not exist.")
        return self.jobs[job_id]

    def run(self, run_id: int) -> Run:
        """Give a run; raise Refusal where there is none."""
        found = self.context.records.get(run_id)
        if found is None:
            raise invalid(f"Run {run_id} does not exist.")
        return found

    def run_now(self, request: RunRequest, creator: str) -> Run:
        """Give the run that the request's token made before, or a new one. Raise Refusal."""
        if (known := self._of_token(request.idempotency_token)) is not None:
            return known
        job = self.job(request.job_id)
        run = self._admitted(job, request, self._new_run(job, request, creator))
        self.context.records.add(run)
        logger.info("databricks.run_taken run=%s job=%s state=%s", run.run_id, job.key, run.life_cycle)
        if run.life_cycle == "PENDING":
            self._execute(run.run_id, job)
        return run

    def cancel(self, run_id: int) -> None:
        """Ask for the end of a run; nothing happens to one that is over."""
        run = self.run(run_id)
        logger.info("databricks.run_cancelled run=%s state=%s", run_id, run.life_cycle)
        if execution := self._executions.get(run_id):
            execution.stop(cancelled())
        elif run.life_cycle == "QUEUED":
            self.context.records.change(run_id, lambda one: lifecycle.stopped(one, cancelled(), self.context.clock()))

    def delete(self, run_id: int) -> None:
        """Forget a run that is over; raise Refusal for one that is not."""
        if not self.run(run_id).is_over:
            raise wrong_state(f"Run {run_id} is active; cancel it and wait for its end first.")
        self.context.records.delete(run_id)

    def _of_token(self, token: str | None) -> Run | None:
        owner = self.context.records.token_owner(token) if token else None
        if owner is None:
            return None
        if (run := self.context.records.get(owner)) is None:
            raise invalid(f"The run {owner} that the idempotency token {token!r} made has been deleted.")
        return run

    def _new_run(self, job: Job, request: RunRequest, creator: str) -> Run:
        run_id, *task_ids = self.context.records.new_ids(1 + len(job.definition.tasks))
        keys = [task.task_key for task in job.definition.tasks]
        return Run(
            run_id=run_id,
            job_id=job.job_id,
            name=job.definition.name,
            creator=creator,
            created_at=self.context.clock(),
            tasks=tuple(TaskRun(key, task_id) for key, task_id in zip(keys, task_ids, strict=True)),
            parameters=parameters_of(job, request.job_parameters),
            token=request.idempotency_token,
        )

    def _admitted(self, job: Job, request: RunRequest, run: Run) -> Run:
        limit = job.definition.max_concurrent_runs
        queue = (request.queue or job.definition.queue).enabled
        decided = lifecycle.admission(self.context.records.of_job(job.job_id), limit, queue=queue)
        return lifecycle.admitted(run, decided, limit)

    def _advance(self, job_id: int) -> None:
        job = self.jobs[job_id]
        for run in lifecycle.due(self.context.records.of_job(job_id), job.definition.max_concurrent_runs):
            self.context.records.change(run.run_id, lambda one: lifecycle.taken_from_queue(one, self.context.clock()))
            self._execute(run.run_id, job)

    def _execute(self, run_id: int, job: Job) -> None:
        execution = self._executions[run_id] = Execution(run_id, job, self.context)
        task = asyncio.create_task(execution.carry_out(), name=f"run-{run_id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finished(run_id, job, done))

    def _finished(self, run_id: int, job: Job, done: asyncio.Task[None]) -> None:
        self._tasks.discard(done)
        del self._executions[run_id]
        if done.cancelled():
            return
        if error := done.exception():
            logger.critical("databricks.run_lost run=%s", run_id, exc_info=error)
            self._abandon(self.context.records[run_id])
        self._advance(job.job_id)

    def _end_left_overs(self) -> None:
        """End what an earlier service left: runs that had a slot, and those whose job is no longer there."""
        for run in list(self.context.records.all()):
            if run.is_placed:
                kill_marked(self.context.task_runner.mark_of(run.run_id))
            if run.is_placed or (not run.is_over and run.job_id not in self.jobs):
                self._abandon(run)

    def _abandon(self, run: Run) -> None:
        self.context.records.change(run.run_id, lambda one: lifecycle.abandoned(one, self.context.clock()))


def parameters_of(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """Fill the job's parameters with what the caller gave; raise Refusal for a name that the job does not have."""
    defaults = {parameter.name: parameter.default for parameter in job.definition.parameters}
    if unknown := sorted(set(given) - set(defaults)):
        names = ", ".join(defaults) or "none"
        raise invalid(f"The job {job.definition.name} has no parameter {', '.join(unknown)}; it has {names}.")
    return defaults | dict(given)
