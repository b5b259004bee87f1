"""Timer triggers: on schedule, late after a pause of the host, on start-up and by hand; never two runs at once."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from emulators.clocks import utc_now
from emulators.functions_host.app_worker import Function
from emulators.functions_host.errors import AppRefused, TimerScheduleError
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.memory import Memory
from emulators.functions_host.ncrontab import Schedule, parse_schedule
from emulators.functions_host.protos import TypedData

_NEVER = "0001-01-01T00:00:00"
_LONGEST_SLEEP = 60.0
_logger = logging.getLogger("Host.Triggers.Timer")


class TimerSurroundings(Protocol):
    """The part of a listener's surroundings that timers use."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The app settings."""

    @property
    def memory(self) -> Memory:
        """Where the time of each timer's last run is kept."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer function; `lock` keeps its runs apart."""

    function: Function
    schedule: Schedule
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def key(self) -> str:
        """The name of its memory."""
        return f"timer:{self.function.name}"


@dataclass(frozen=True, slots=True)
class LastRun:
    """When a timer last began to run (None: never), and since when its next occurrence counts."""

    began: datetime | None
    updated: datetime


class TimerListener:
    """Keeps one task per timer function."""

    trigger = "timerTrigger"

    def __init__(self, surroundings: TimerSurroundings) -> None:
        self._settings = surroundings.settings
        self._memory = surroundings.memory
        self._timers: dict[str, Timer] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, functions: Sequence[Function], invoke: Invoker) -> None:
        """Start the clocks; raises AppRefused for a schedule that Azure would not accept."""
        self._invoke = invoke
        self._timers = {function.name: self._timer(function) for function in functions}
        for timer in self._timers.values():
            self._spawn(timer)

    def routes(self, _guard: object) -> Sequence[web.RouteDef]:
        """Listen at no address."""
        return ()

    def fire(self, function: str, _given: str = "") -> None:
        """Run a timer now; the schedule's own memory isn't touched."""
        task = asyncio.create_task(self._run(self._timers[function], late=False))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop the clocks; a run that is under way is abandoned."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _timer(self, function: Function) -> Timer:
        try:
            schedule = parse_schedule(function.trigger["schedule"], self._settings, _zone(self._settings))
        except TimerScheduleError as error:
            raise AppRefused(f"function {function.name!r}: {error}") from error
        return Timer(function, schedule)

    def _spawn(self, timer: Timer) -> None:
        task = asyncio.create_task(self._keep(timer), name=timer.key)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, timer: Timer) -> None:
        late = self._is_past_due(timer)
        if late or timer.function.trigger.get("runOnStartup"):
            await self._run_and_note(timer, late=late)
        while True:
            following = timer.schedule.next_after(utc_now())
            _logger.info("timer.next", extra={"function": timer.function.name, "at": following.isoformat()})
            await _sleep_until(following)
            await self._run_and_note(timer, late=False)

    def _is_past_due(self, timer: Timer) -> bool:
        last = self._last_run(timer)
        if last is None:
            self._note(timer, None)
        monitored = timer.function.trigger.get("useMonitor", True) is not False
        return bool(last and monitored and timer.schedule.next_after(last.updated) <= utc_now())

    async def _run_and_note(self, timer: Timer, *, late: bool) -> None:
        began = utc_now()
        await self._run(timer, late=late)
        self._note(timer, began)

    async def _run(self, timer: Timer, *, late: bool) -> None:
        async with timer.lock:
            try:
                value = TypedData(json=timer_payload(timer.schedule, self._last_run(timer), utc_now(), late=late))
                await self._invoke(timer.function.name, value, reason="Timer is past due" if late else "Timer fired")
            except Exception:  # a listener outlives whatever happens to one run
                _logger.exception("timer.run_failed", extra={"function": timer.function.name})

    def _last_run(self, timer: Timer) -> LastRun | None:
        text = self._memory.get(timer.key)
        if text is None:
            return None
        began, updated = json.loads(text)
        return LastRun(began and datetime.fromisoformat(began), datetime.fromisoformat(updated))

    def _note(self, timer: Timer, began: datetime | None) -> None:
        self._memory.put(timer.key, json.dumps([began and began.isoformat(), utc_now().isoformat()]))


def timer_payload(schedule: Schedule, last: LastRun | None, now: datetime, *, late: bool) -> str:
    """Write what a timer function is given, in Azure's form; a first run's `Last` is the year 1."""
    began = last.began.isoformat() if last and last.began else _NEVER
    updated = last.updated.isoformat() if last and last.began else _NEVER
    status = {"Last": began, "LastUpdated": updated, "Next": schedule.next_after(now).isoformat()}
    return json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": late})


async def _sleep_until(moment: datetime) -> None:
    while (seconds := (moment - utc_now()).total_seconds()) > 0:  # noqa: ASYNC110 - the wall clock may be set meanwhile
        await asyncio.sleep(min(seconds, _LONGEST_SLEEP))


def _zone(settings: Mapping[str, str]) -> tzinfo:
    name = settings.get("WEBSITE_TIME_ZONE", "")
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError) as error:
        raise AppRefused(f"WEBSITE_TIME_ZONE: {name!r} is no time zone; use a name such as Europe/Oslo") from error
