"""What host.json says that the app settings must fit, with the environment's overrides on top."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

_TIMEOUT: Final = "functionTimeout"
_ACTIVITIES: Final = "extensions__durableTask__maxConcurrentActivityFunctions"
_POLLING: Final = "extensions__durableTask__storageProvider__maxQueuePollingInterval"
_OVERRIDE: Final = "AzureFunctionsJobHost__"
_SPAN: Final = re.compile(r"(?:(\d{1,3})\.)?([01]?\d|2[0-3]):([0-5]?\d):([0-5]?\d)(?:\.\d{1,7})?", re.ASCII)

# What the host takes where nothing is said.
_DEFAULTS: Final = {_TIMEOUT: "00:05:00", _ACTIVITIES: 10, _POLLING: "00:00:30"}


@dataclass(frozen=True, slots=True)
class Host:
    """What the host grants: how long a function may run, None for ever, and how many activities run at once.

    polling: how late an idle host may see that a timer or an activity is due.
    """

    function_timeout: timedelta | None
    activities: int
    polling: timedelta


def host_values(environment: Mapping[str, str], document: Mapping[str, Any]) -> tuple[Host, list[str]]:
    """Read the host's values, and say what is wrong with them; what is wrong counts as the default.

    Names in host.json are read in any case, as the host does; those of the overrides as they are documented.
    """
    problems = []
    found: dict[str, Any] = {}
    for name, parse in ((_TIMEOUT, _timeout), (_ACTIVITIES, _count), (_POLLING, _length)):
        try:
            found[name] = parse(_written(name, environment, document))
        except ValueError as error:
            problems.append(f"{name.replace('__', '.')} of host.json {error}.")
            found[name] = parse(_DEFAULTS[name])
    return Host(found[_TIMEOUT], found[_ACTIVITIES], found[_POLLING]), problems


def _written(name: str, environment: Mapping[str, str], document: Mapping[str, Any]) -> object:
    if (override := environment.get(_OVERRIDE + name)) is not None:
        return override
    entry: object = document
    for part in name.lower().split("__"):
        if not isinstance(entry, Mapping):
            raise ValueError("must be reached through JSON objects, and what is above it is none")
        entry = {key.lower(): value for key, value in entry.items()}.get(part, {})
    return _DEFAULTS[name] if entry == {} else entry


def _timeout(written: object) -> timedelta | None:
    """Read how long a function may run; `-1` is for ever."""
    if str(written).strip() == "-1":
        return None
    try:
        return _length(written)
    except ValueError as error:
        raise ValueError(f"{error}, or -1 for none") from None


def _length(written: object) -> timedelta:
    """Read .NET's TimeSpan `d.hh:mm:ss`."""
    match = _SPAN.fullmatch(str(written).strip())
    if not match:
        raise ValueError("must be a duration as hh:mm:ss")
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _count(written: object) -> int:
    if isinstance(written, bool) or not str(written).strip().isdigit() or int(str(written)) < 1:
        raise ValueError("must be a whole number above zero")
    return int(str(written))
