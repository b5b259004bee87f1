"""One run being carried out: its tasks in the order of their needs, each a process, with retries and timeouts."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emulators.databricks import lifecycle
from emulators.databricks.definitions import Job, Task
from emulators.databricks.endings import (
    Ending,
    badly_configured,
    failed,
    success,
    timed_out,
    upstream_failed,
    with_code,
)
from emulators.databricks.faults import Faults
from emulators.databricks.lifecycle import Run, TaskRun
from emulators.databricks.logs import last_message
from emulators.databricks.processes import run_program
from emulators.databricks.programs import Program, TaskRunner
from emulators.databricks.records import Records

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Context:
    """What every run is carried out with. `clock` gives epoch milliseconds."""

    records: Records
    task_runner: TaskRunner
    faults: Faults
    clock: Callable[[], int]
    kill_after: float


class Execution:
    """A run that was admitted, from PENDING to its end."""

    def __init__(self, run_id: int, job: Job, context: Context) -> None:
        """Prepare to carry out the run."""
        self._run_id = run_id
        self._job = job
        self._context = context
        self._stop = asyncio.Event()
        self._halts: set[asyncio.Event] = set()
        self._done = {task.task_key: asyncio.Event() for task in job.definition.tasks}

    def stop(self, ending: Ending) -> None:
        """Ask for the run's end; it comes when its processes have ended. Asking again changes nothing."""
        self._change(lambda run: lifecycle.stopped(run, ending, self._context.clock()))
        slow = self._context.faults.take("slow_cancel")
        asyncio.get_running_loop().call_later((slow and slow.seconds) or 0.0, self._halt)

    async def carry_out(self) -> None:
        """Carry the run out to its end."""
        if slow := self._context.faults.take("slow_start"):
            await self._pause(slow.seconds or 0.0)
        fault = self._context.faults.take("fail_run")
        injected = with_code(fault.code, fault.message) if fault else None
        if fault and injected and fault.seconds is not None:
            asyncio.get_running_loop().call_later(fault.seconds, self.stop, injected)
            injected = None
        if injected is None and not self._stop.is_set():
            await self._work()
        self._end(injected)

    def _end(self, injected: Ending | None) -> None:
        now = self._context.clock()
        self._change(lambda run: lifecycle.ended(run, injected or lifecycle.outcome(run.tasks), now))
        ending = self._run().ending
        logger.info("databricks.run_ended run=%s code=%s", self._run_id, ending.code if ending else None)

    async def _work(self) -> None:
        self._context.task_runner.folder_of(self._run_id).mkdir(parents=True, exist_ok=True)
        self._change(lambda run: lifecycle.begun(run, self._context.clock()))
        limit = self._job.definition.timeout_seconds
        alarm = asyncio.get_running_loop().call_later(limit, self.stop, timed_out(limit)) if limit else None
        try:
            async with asyncio.TaskGroup() as group:
                for task in self._job.definition.tasks:
                    group.create_task(self._task(task))
        finally:
            if alarm:
                alarm.cancel()

    async def _task(self, task: Task) -> None:
        for needed in task.depends_on:
            await self._done[needed.task_key].wait()
        ending = self._upstream_failure(task) or await self._attempts(task)
        if not self._stop.is_set():
            self._change_task(task, lambda one: lifecycle.task_ended(one, ending, self._context.clock()))
        self._done[task.task_key].set()

    def _upstream_failure(self, task: Task) -> Ending | None:
        for needed in task.depends_on:
            upstream = self._run().task(needed.task_key).ending
            if upstream is None or upstream.result != "SUCCESS":
                return upstream_failed(needed.task_key)
        return None

    async def _attempts(self, task: Task) -> Ending:
        attempt = 0
        while True:
            ending, curable = await self._attempt(task, attempt)
            spent = 0 <= task.max_retries <= attempt
            if not curable or spent or self._stop.is_set():
                return ending
            self._change_task(task, lifecycle.task_waiting)
            await self._pause(task.min_retry_interval_millis / 1000)
            attempt += 1

    async def _attempt(self, task: Task, attempt: int) -> tuple[Ending, bool]:
        """Make one attempt; tell how it ended and whether another may go better."""
        try:
            program = self._context.task_runner.program(self._run(), self._job, task, attempt)
        except LookupError as error:
            return badly_configured(str(error)), False
        code, late = await self._limited(program, task, attempt)
        if late:
            return timed_out(task.timeout_seconds), task.retry_on_timeout
        return (success(), False) if code == 0 else (failed(self._failure_message(program.log, code)), True)

    async def _limited(self, program: Program, task: Task, attempt: int) -> tuple[int, bool]:
        """Run a program within the task's own time; give its exit code and whether that was not enough."""
        halt, late = asyncio.Event(), asyncio.Event()
        self._halts.add(halt)
        if self._stop.is_set():
            halt.set()
        watch = asyncio.create_task(_halt_after(task.timeout_seconds, late, halt))
        try:
            code = await run_program(
                program,
                halt,
                kill_after=self._context.kill_after,
                started=lambda pid: self._change_task(
                    task, lambda one: lifecycle.task_begun(one, attempt, self._context.clock(), pid)
                ),
            )
        finally:
            self._halts.discard(halt)
            watch.cancel()
        return code, late.is_set()

    def _failure_message(self, log: Path, code: int) -> str:
        message = self._context.task_runner.redacted(last_message(log))
        return message or f"The program ended with code {code} and wrote nothing."

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    def _halt(self) -> None:
        self._stop.set()
        for halt in self._halts:
            halt.set()

    def _run(self) -> Run:
        return self._context.records[self._run_id]

    def _change(self, step: Callable[[Run], Run]) -> None:
        self._context.records.change(self._run_id, step)

    def _change_task(self, task: Task, step: Callable[[TaskRun], TaskRun]) -> None:
        self._change(lambda run: lifecycle.with_task(run, step(run.task(task.task_key))))


async def _halt_after(seconds: int, late: asyncio.Event, halt: asyncio.Event) -> None:
    if seconds:
        await asyncio.sleep(seconds)
        late.set()
        halt.set()
