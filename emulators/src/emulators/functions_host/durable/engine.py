"""The task hub at work: drives orchestrations, runs their activities and fires their timers."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulators.clocks import utc_now
from emulators.functions_host.durable.decisions import Catalogue, broken_turn, missing, opening, take_turn
from emulators.functions_host.durable.history import (
    EventType,
    activity_result,
    event,
    read_failure,
    read_reply,
    trigger_input,
)
from emulators.functions_host.durable.model import FINAL, Instance, Reply, Turn, timestamp
from emulators.functions_host.durable.store import Activity, Effects, TaskStore, Timer, Work
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.protos import TypedData

_LONGEST_SLEEP = 3600.0
_logger = logging.getLogger("Host.Triggers.DurableTask")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many activities and orchestrator functions may run at once."""

    activities: int
    orchestrators: int


class Engine:
    """Runs what the store holds. Every store call is made on one thread of its own, so the loop never waits for it."""

    def __init__(self, store: TaskStore, invoke: Invoker, *, catalogue: Catalogue, limits: Limits) -> None:
        self.catalogue = catalogue
        self._store = store
        self._invoke = invoke
        self._activities = asyncio.Semaphore(limits.activities)
        self._orchestrators = asyncio.Semaphore(limits.orchestrators)
        self._thread = ThreadPoolExecutor(1, "task-hub")
        self._tasks: set[asyncio.Task[None]] = set()
        self._driven: set[str] = set()
        self._woken: set[str] = set()

    async def start(self) -> None:
        """Take up all that was under way when the host last stopped."""
        effects = await self.ask(self._store.outstanding)
        left = {"instances": len(effects.wake), "activities": len(effects.activities), "timers": len(effects.timers)}
        _logger.info("hub.resumed", extra=left)
        self.apply(effects)

    async def stop(self) -> None:
        """Stop driving; what is under way is in the store, and is taken up by the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._thread.shutdown(wait=True)

    async def ask[*Arguments, Answer](self, method: Callable[[*Arguments], Answer], *arguments: *Arguments) -> Answer:
        """Call a method of the store on its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, method, *arguments)

    async def create(self, instance: Instance) -> str | None:
        """Start an orchestration; gives the status of the one in its way, or None when it was started."""
        status = await self.ask(self._store.create, instance, utc_now())
        if status is None:
            _logger.info("orchestration.scheduled", extra={"orchestrator": instance.name, "instance": instance.id})
            self.wake(instance.id)
        return status

    def apply(self, effects: Effects) -> None:
        """Do what a commit calls for."""
        for timer in effects.timers:
            self._arm(timer)
        for activity in effects.activities:
            self._spawn(self._run_activity(activity), f"activity {activity.name}")
        for instance_id in effects.wake:
            self.wake(instance_id)

    def wake(self, instance_id: str) -> None:
        """See to it that the inbox of an instance is worked off."""
        self._woken.add(instance_id)
        if instance_id not in self._driven:
            self._driven.add(instance_id)
            self._spawn(self._drive(instance_id), f"orchestration {instance_id}")

    async def _drive(self, instance_id: str) -> None:
        try:
            while instance_id in self._woken:
                self._woken.discard(instance_id)
                while work := await self.ask(self._store.next_work, instance_id):
                    await self._episode(work)
        finally:
            self._driven.discard(instance_id)

    async def _episode(self, work: Work) -> None:
        async with self._orchestrators:
            now = utc_now()
            reply = await self._replay(work, now)
        turn = self._decide(work, reply, now)
        self.apply(await self.ask(self._store.commit, work, turn))
        if turn.instance.status in FINAL:
            _log_end(turn.instance)

    async def _replay(self, work: Work, now: datetime) -> Reply:
        name = work.instance.name
        if name not in self.catalogue.orchestrators:
            return Reply(done=True, error=missing(name, "an orchestrator", self.catalogue.orchestrators))
        value = TypedData(string=trigger_input(work.instance, work.past, opening(now, work.arrived)))
        outcome = await self._invoke(name, value, reason="orchestration episode", level=logging.DEBUG)
        if outcome.error is not None:
            return read_failure(outcome.error)
        return read_reply(outcome.returned.value if outcome.returned else "{}")

    def _decide(self, work: Work, reply: Reply, now: datetime) -> Turn:
        try:
            return take_turn(work.instance, work.arrived, reply=reply, now=now, known=self.catalogue)
        except (KeyError, TypeError, ValueError) as error:
            _logger.exception("orchestration.reply_not_understood", extra={"instance": work.instance.id})
            return broken_turn(work.instance, work.arrived, fault=repr(error), now=now)

    async def _run_activity(self, activity: Activity) -> None:
        async with self._activities:
            error, result = await self._execute(activity)
        ended = activity_result(activity.task, activity.name, result=result, error=error, now=utc_now())
        if await self.ask(self._store.finish_activity, activity, ended):
            self.wake(activity.instance)

    async def _execute(self, activity: Activity) -> tuple[str | None, str | None]:
        if activity.name not in self.catalogue.activities:
            return missing(activity.name, "an activity", self.catalogue.activities), None
        value = TypedData(string=activity.input or "null")
        outcome = await self._invoke(activity.name, value, reason=f"activity of {activity.instance}")
        return outcome.error, outcome.returned.value if outcome.returned else None

    def _arm(self, timer: Timer) -> None:
        seconds = min(max(0.0, (timer.fire_at - utc_now()).total_seconds()), _LONGEST_SLEEP)
        asyncio.get_running_loop().call_later(seconds, self._ring, timer)

    def _ring(self, timer: Timer) -> None:
        if utc_now() < timer.fire_at:
            self._arm(timer)
        else:
            self._spawn(self._fire(timer), f"timer of {timer.instance}")

    async def _fire(self, timer: Timer) -> None:
        fields = {"TimerId": timer.task, "FireAt": timestamp(timer.fire_at)}
        if await self.ask(self._store.fire_timer, timer, event(EventType.TIMER_FIRED, utc_now(), **fields)):
            self.wake(timer.instance)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            _logger.error("hub.task_failed", extra={"task": task.get_name()}, exc_info=task.exception())


def _log_end(instance: Instance) -> None:
    fields = {"orchestrator": instance.name, "instance": instance.id, "status": instance.status}
    if instance.status == "Completed":
        _logger.info("orchestration.ended", extra=fields)
    else:
        _logger.error("orchestration.ended", extra={**fields, "error": instance.output})
