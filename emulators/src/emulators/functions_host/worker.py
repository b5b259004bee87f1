"""The real host: loads the app and serves it until SIGTERM or SIGINT. Started by the supervisor only."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from emulators.functions_host.app_settings import apply_settings
from emulators.functions_host.app_worker import Function, load_app
from emulators.functions_host.bindings import ACTIVITY, ORCHESTRATION, check_bindings, enabled, named
from emulators.functions_host.durable.api import DurableApi
from emulators.functions_host.durable.decisions import Catalogue
from emulators.functions_host.durable.engine import Engine, Limits
from emulators.functions_host.durable.links import WEBHOOKS, Links
from emulators.functions_host.durable.polling import Polling
from emulators.functions_host.durable.store import TaskStore
from emulators.functions_host.errors import AppRefused
from emulators.functions_host.exits import READY, REFUSED, TIMED_OUT
from emulators.functions_host.host_json import HostConfig, read_host_json
from emulators.functions_host.http_front import Guard, HttpFront
from emulators.functions_host.invoker import Invoker, Watchdog
from emulators.functions_host.keys import HostKeys, host_keys
from emulators.functions_host.listeners.registry import LISTENERS, Listener, Surroundings
from emulators.functions_host.log_lines import configure_logging
from emulators.functions_host.memory import Memory, connect, hold

_RPC = "/durabletask"
_GRACE = 2.0
_logger = logging.getLogger("Host.Startup")


@dataclass(frozen=True, slots=True)
class Options:
    """The worker's command line; `http` and `rpc` are listening sockets inherited from the supervisor."""

    app: Path
    state: Path
    settings: Path
    enable_auth: bool
    polling: float
    message_lock: float
    http: int
    rpc: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the app, and end the process without waiting for functions that are still running in threads."""
    channel = _take_standard_output()
    code = 0
    try:
        asyncio.run(_serve(_options(arguments), channel))
    except AppRefused as refusal:
        sys.stderr.write(f"The app can't be hosted: {refusal}\n")
        code = REFUSED
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="emulators.functions_host.worker", description=__doc__)
    for name in ("--app", "--state", "--settings"):
        parser.add_argument(name, type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--enable-auth", action="store_true")
    for name in ("--polling", "--message-lock"):
        parser.add_argument(name, type=float, required=True)
    for name in ("--http", "--rpc"):
        parser.add_argument(name, type=int, required=True)
    return Options(**vars(parser.parse_args(arguments)))


def _take_standard_output() -> int:
    """Keep standard output for the supervisor alone: what the app prints goes to standard error."""
    channel = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return channel


async def _serve(options: Options, channel: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # The supervisor holds the other end of standard input: its death, however sudden, ends the host too.
    loop.add_reader(sys.stdin.fileno(), stop.set)
    async with _running(options):
        os.write(channel, READY)
        await stop.wait()


@asynccontextmanager
async def _running(options: Options) -> AsyncIterator[None]:
    apply_settings(options.settings, os.environ)
    config = read_host_json(options.app, os.environ)
    configure_logging(config.log_levels)
    os.chdir(options.app)
    hold(options.state)
    message_lock = timedelta(seconds=options.message_lock)
    surroundings = Surroundings(dict(os.environ), Memory(connect(options.state)), config, message_lock)
    functions = enabled(await load_app(options.app), os.environ)
    check_bindings(functions, LISTENERS)
    listeners = [make(surroundings) for trigger, make in LISTENERS.items() if named(functions, trigger)]
    parts = _assemble(options, config, functions=functions, listeners=listeners, keys=host_keys(surroundings.memory))
    async with AsyncExitStack() as stack:
        for listener in listeners:
            stack.push_async_callback(listener.stop)
            await listener.start(named(functions, listener.trigger), parts.invoke)
        stack.push_async_callback(parts.engine.stop)
        await parts.engine.start()
        for application, listening in parts.sites:
            await _site(application, listening, stack)
        _warn_of_few_threads(config)
        _logger.info("host.started", extra={"functions": len(functions), "process_id": os.getpid()})
        yield


@dataclass(frozen=True, slots=True)
class Parts:
    """A host put together and not yet started: what runs functions, the task hub, and the sites on their sockets."""

    invoke: Invoker
    engine: Engine
    sites: tuple[tuple[web.Application, socket.socket], ...]


def _assemble(
    options: Options,
    config: HostConfig,
    *,
    functions: Sequence[Function],
    listeners: Sequence[Listener],
    keys: HostKeys,
) -> Parts:
    http, rpc = socket.socket(fileno=options.http), socket.socket(fileno=options.rpc)
    links = Links(_origin(http), f"{_origin(rpc)}{_RPC}/", config.hub, keys.durable)
    watchdog = Watchdog(config.timeout, lambda name, invocation: _expire(config, name, invocation))
    watchdog.start()
    invoke = Invoker({function.name: function for function in functions}, links.client_binding, watchdog)
    store = TaskStore(connect(options.state))
    limits = Limits(config.activities, config.orchestrators)
    engine = Engine(store, invoke, catalogue=_catalogue(functions), limits=limits, polling=Polling(options.polling))
    api = DurableApi(engine, store, links)
    guard = Guard(keys if options.enable_auth else None)
    front = HttpFront(invoke, config.route_prefix, guard=guard, listeners=listeners)
    webhooks = api.routes(WEBHOOKS, lambda handler: guard.at("durable", handler))
    webhooks += [route for listener in listeners for route in listener.routes(guard.at)]
    public = front.application(webhooks)
    private = web.Application()
    private.add_routes(api.routes(_RPC, lambda handler: handler))
    return Parts(invoke, engine, ((private, rpc), (public, http)))


def _catalogue(functions: Sequence[Function]) -> Catalogue:
    names: Mapping[str, frozenset[str]] = {
        trigger: frozenset(function.name for function in named(functions, trigger))
        for trigger in (ACTIVITY, ORCHESTRATION)
    }
    return Catalogue(names[ACTIVITY], names[ORCHESTRATION])


def _origin(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def _warn_of_few_threads(config: HostConfig) -> None:
    """Say it when activities may take every thread: orchestrators would wait for one to end, as they do in Azure."""
    threads = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    count = int(threads) if threads.isdigit() else min(32, (os.process_cpu_count() or 1) + 4)
    if count <= config.activities:
        hint = "raise PYTHON_THREADPOOL_THREAD_COUNT above maxConcurrentActivityFunctions if activities are long"
        _logger.warning("host.few_threads", extra={"threads": count, "activities": config.activities, "hint": hint})


async def _site(application: web.Application, listening: socket.socket, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GRACE)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listening).start()


def _expire(config: HostConfig, function: str, invocation: str) -> None:
    """End the process, as Azure's host does: a function in a thread can't be stopped otherwise."""
    hours, rest = divmod(int(config.timeout.total_seconds()) if config.timeout else 0, 3600)
    limit = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    logging.getLogger("Host.General").error(
        "Timeout value of %s exceeded by function 'Functions.%s' (Id: '%s'). Initiating cancellation.",
        limit, function, invocation,
    )  # fmt: skip
    logging.shutdown()
    os._exit(TIMED_OUT)


if __name__ == "__main__":
    main()
