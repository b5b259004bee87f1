"""One way to run a function: an invocation id, a log line before and after, and the watch over functionTimeout."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from emulators.functions_host.app_worker import CallOutcome, Function, Given, execute
from emulators.functions_host.protos import TypedData

_LONGEST_LOOK = 0.5


class Watchdog:
    """Notices, from a thread of its own, an invocation that outlives `timeout`: a blocked event loop can't hide it."""

    def __init__(self, timeout: timedelta | None, expire: Callable[[str, str], None]) -> None:
        self._seconds = timeout.total_seconds() if timeout else None
        self._expire = expire
        self._running: dict[str, tuple[float, str]] = {}

    def start(self) -> None:
        """Begin to watch; the thread ends with the process."""
        if self._seconds is not None:
            look = min(_LONGEST_LOOK, self._seconds / 10)
            threading.Thread(target=self._watch, args=(look,), name="functionTimeout", daemon=True).start()

    @contextmanager
    def watching(self, function: str, invocation: str) -> Iterator[None]:
        """Watch one invocation for as long as the block runs."""
        self._running[invocation] = (time.monotonic() + (self._seconds or 0), function)
        try:
            yield
        finally:
            del self._running[invocation]

    def _watch(self, look: float) -> None:
        while True:
            time.sleep(look)
            for invocation, (deadline, function) in list(self._running.items()):
                if time.monotonic() > deadline:
                    self._expire(function, invocation)


class Invoker:
    """Runs functions by name; `clients` gives the value of every durableClient binding."""

    def __init__(self, functions: Mapping[str, Function], clients: Callable[[], str], watchdog: Watchdog) -> None:
        self.functions = functions
        self._clients = clients
        self._watchdog = watchdog

    async def __call__(
        self, name: str, value: TypedData | Given, *, reason: str, level: int = logging.INFO
    ) -> CallOutcome:
        """Run function `name` with what its trigger gives; a failure of the function is in the outcome, not raised."""
        given = value if isinstance(value, Given) else Given(value)
        function, invocation = self.functions[name], str(uuid.uuid4())
        clients = {binding["name"]: TypedData(string=self._clients()) for binding in function.inputs}
        logger = logging.getLogger(f"Function.{name}")
        logger.log(level, "Executing", extra={"invocation": invocation, "reason": reason})
        began = time.perf_counter()
        with self._watchdog.watching(name, invocation):
            outcome = await execute(function, invocation, given, clients)
        milliseconds = round((time.perf_counter() - began) * 1000)
        _log_end(logger, level, outcome=outcome, fields={"invocation": invocation, "duration_ms": milliseconds})
        return outcome


def _log_end(logger: logging.Logger, level: int, *, outcome: CallOutcome, fields: dict[str, object]) -> None:
    if outcome.error is None:
        logger.log(level, "Executed", extra={**fields, "result": "Succeeded"})
    elif level < logging.INFO:
        logger.log(level, "Executed", extra={**fields, "result": "Failed", "error": outcome.error})
    else:
        logger.error("Executed", extra={**fields, "result": "Failed", "error": outcome.error, "stack": outcome.stack})
