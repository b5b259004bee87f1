"""The task hub at work: drives orchestrations, runs their activities and fires their timers."""

import asyncio
import json
import logging
import math
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from emulators.clocks import utc_now
from emulators.functions_host.app_worker import CallOutcome
from emulators.functions_host.durable.decisions import Catalogue, Episode, broken_turn, missing, take_turn
from emulators.functions_host.durable.history import (
    activity_result,
    read_failure,
    read_reply,
    timer_fired,
    trigger_input,
)
from emulators.functions_host.durable.model import FINAL, Instance, Reply, Turn
from emulators.functions_host.durable.polling import WORK_ITEMS, Polling, control_queue
from emulators.functions_host.durable.store import Activity, Effects, TaskStore, Timer, Work
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.protos import TypedData

_LONGEST_SLEEP = 3600
_AT_ONCE = Polling()
_logger = logging.getLogger("Host.Triggers.DurableTask")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many activities and orchestrator functions may run at once."""

    activities: int
    orchestrators: int


class Engine:
    """Runs what the store holds. Every store call is made on one thread of its own, so the loop never waits for it."""

    def __init__(
        self, store: TaskStore, invoke: Invoker, *, catalogue: Catalogue, limits: Limits, polling: Polling = _AT_ONCE
    ) -> None:
        self.catalogue = catalogue
        self._polling = polling
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
        """See to it that the inbox of an instance is worked off when its queue is next looked into."""
        wait = self._polling.wait(control_queue(instance_id), utc_now())
        if wait:
            asyncio.get_running_loop().call_later(wait, self._deliver, instance_id)
        else:
            self._deliver(instance_id)

    def _deliver(self, instance_id: str) -> None:
        self._woken.add(instance_id)
        if instance_id not in self._driven:
            self._driven.add(instance_id)
            self._spawn(self._drive(instance_id), f"orchestration {instance_id}")

    async def _drive(self, instance_id: str) -> None:
        try:
            while instance_id in self._woken:
                self._woken.discard(instance_id)
                if work := await self.ask(self._store.next_work, instance_id):
                    await self._episode(work)
        finally:
            self._driven.discard(instance_id)

    async def _episode(self, work: Work) -> None:
        episode = Episode(work.instance, [json.loads(text) for text in work.past], work.arrived, utc_now())
        async with self._orchestrators:
            reply = await self._replay(work, episode)
        turn = self._decide(episode, reply)
        self.apply(await self.ask(self._store.commit, work, turn))
        if turn.fresh:
            self._deliver(turn.instance.id)  # a generation begins in the episode that ended the one before it
        if turn.instance.status in FINAL:
            _log_end(turn.instance)

    async def _replay(self, work: Work, episode: Episode) -> Reply:
        name = work.instance.name
        if name not in self.catalogue.orchestrators:
            return Reply(done=True, error=missing(name, "an orchestrator", self.catalogue.orchestrators))
        value = TypedData(string=trigger_input(work.instance, work.past, episode.opening))
        outcome = await self._invoke(name, value, reason="orchestration episode", level=logging.DEBUG)
        if outcome.error is not None:
            return read_failure(outcome.error)
        return read_reply(outcome.returned.value if outcome.returned else "{}")

    def _decide(self, episode: Episode, reply: Reply) -> Turn:
        try:
            return take_turn(episode, reply, self.catalogue, uuid.uuid4().hex)
        except (KeyError, TypeError, ValueError) as error:
            _logger.exception("orchestration.reply_not_understood", extra={"instance": episode.instance.id})
            return broken_turn(episode, repr(error))

    async def _run_activity(self, activity: Activity) -> None:
        await asyncio.sleep(self._polling.wait(WORK_ITEMS, utc_now()))
        async with self._activities:
            outcome = await self._execute(activity)
        result = outcome.returned.value if outcome.returned else None
        ended = activity_result(
            activity.task, activity.name, result=result, error=outcome.error, stack=outcome.stack, now=utc_now()
        )
        if await self.ask(self._store.finish_activity, activity, ended):
            self.wake(activity.instance)

    async def _execute(self, activity: Activity) -> CallOutcome:
        if activity.name not in self.catalogue.activities:
            return CallOutcome(error=missing(activity.name, "an activity", self.catalogue.activities))
        value = TypedData(string=activity.input or "null")
        return await self._invoke(activity.name, value, reason=f"activity of {activity.instance}")

    def _arm(self, timer: Timer) -> None:
        """Let a timer fire in whole seconds: storage hides its message no finer, so it comes up to a second early."""
        seconds = max(0, math.floor((timer.fire_at - utc_now()).total_seconds()))
        loop = asyncio.get_running_loop()
        if seconds > _LONGEST_SLEEP:
            loop.call_later(_LONGEST_SLEEP, self._arm, timer)
        else:
            loop.call_later(seconds, self._ring, timer)

    def _ring(self, timer: Timer) -> None:
        self._spawn(self._fire(timer), f"timer of {timer.instance}")

    async def _fire(self, timer: Timer) -> None:
        if await self.ask(self._store.fire_timer, timer, timer_fired(timer.task, timer.fire_at, utc_now())):
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
