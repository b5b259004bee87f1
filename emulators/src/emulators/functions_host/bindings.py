"""Which bindings this host serves, and the refusal of an app that uses others."""

from collections.abc import Iterable, Mapping, Sequence

from emulators.functions_host.app_worker import Function
from emulators.functions_host.errors import AppRefused

HTTP, ORCHESTRATION, ACTIVITY = "httptrigger", "orchestrationtrigger", "activitytrigger"
_SERVED = frozenset({HTTP, ORCHESTRATION, ACTIVITY, "http", "durableclient"})
_RETRIED = "eventhubtrigger"
_WHY = {"entitytrigger": " (durable entities are left out on purpose)"}


def check_bindings(functions: Sequence[Function], listened: Iterable[str]) -> None:
    """Refuse what would silently never run; `listened` are the trigger types that a listener serves.

    Raises AppRefused, with one line per function and binding.
    """
    served = _SERVED | {trigger.lower() for trigger in listened}
    faults = [
        f"function {function.name!r}: binding {binding['name']!r} is a {binding['type']}"
        f"{_WHY.get(binding['type'].lower(), '')}; this host serves {', '.join(sorted(served))}"
        for function in functions
        for binding in function.bindings
        if binding["type"].lower() not in served
    ]
    faults += [
        f"function {function.name!r} has a retry policy, which this host carries out for Event Hubs alone"
        for function in functions
        if function.retry is not None and function.trigger["type"].lower() != _RETRIED
    ]
    if faults:
        raise AppRefused("\n".join(faults))


def named(functions: Iterable[Function], trigger: str) -> list[Function]:
    """Give the functions with this type of trigger."""
    return [function for function in functions if function.trigger["type"].lower() == trigger.lower()]


def enabled(functions: Iterable[Function], settings: Mapping[str, str]) -> tuple[Function, ...]:
    """Leave out the functions that the app setting `AzureWebJobs.<name>.Disabled` turns off."""
    return tuple(
        f for f in functions if settings.get(f"AzureWebJobs.{f.name}.Disabled", "").lower() not in {"true", "1"}
    )
