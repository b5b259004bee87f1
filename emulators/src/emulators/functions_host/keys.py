"""The host's keys: made once, kept in the state file, checked only with --enable-auth."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from emulators.functions_host.memory import Memory, open_memory

_MASTER = "key:master"
_FUNCTION = "key:function"
_DURABLE = "key:durabletask"
_EVENT_GRID = "key:eventgrid_extension"

EVENT_GRID = "eventgrid"
"""The level of the Event Grid webhook, which the system key `eventgrid_extension` opens."""


@dataclass(frozen=True, slots=True)
class HostKeys:
    """`master` opens everything; `function` every function of that level; the others a webhook each."""

    master: str
    function: str
    durable: str
    event_grid: str


def host_keys(memory: Memory) -> HostKeys:
    """Give the keys in `memory`, making those that aren't there."""
    names = (_MASTER, _FUNCTION, _DURABLE, _EVENT_GRID)
    return HostKeys(*(memory.setdefault(name, secrets.token_urlsafe(32)) for name in names))


def read_keys(state: Path) -> HostKeys:
    """Give the keys of the host whose state file is `state`, for whoever has to call it with --enable-auth."""
    with open_memory(state) as memory:
        return host_keys(memory)


def is_allowed(request: web.Request, level: str, keys: HostKeys) -> bool:
    """Say whether the key in `x-functions-key` or `?code=` opens `level`: one of the keys' names, or anonymous."""
    accepted = {
        "anonymous": None,
        "function": (keys.function, keys.master),
        "durable": (keys.durable, keys.master),
        EVENT_GRID: (keys.event_grid, keys.master),
        "admin": (keys.master,),
    }[level.lower()]
    if accepted is None:
        return True
    given = request.headers.get("x-functions-key") or request.query.get("code", "")
    return any(secrets.compare_digest(given.encode(), key.encode()) for key in accepted)
