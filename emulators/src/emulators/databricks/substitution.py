"""The two notations that stand for a value: `${var.x}` of the bundle and `{{job.parameters.x}}` of a run."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulators.databricks.definitions import BundleError

_BUNDLE = re.compile(r"\$\{([A-Za-z][\w.\-]*)\}")
_DYNAMIC = re.compile(r"\{\{\s*([\w.\-\[\]]+)\s*\}\}")
_RUN_SPACES = ("job.", "task.", "tasks.")

type Lookup = Callable[[str], Any]
"""Gives the value of a reference (`var.x`); raises LookupError that says why there is none."""


def resolved(value: Any, lookup: Lookup) -> Any:  # noqa: ANN401 - any YAML value
    """Put the bundle's values into a YAML value; a string that is one reference becomes the value itself."""
    if isinstance(value, Mapping):
        return {name: resolved(one, lookup) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [resolved(one, lookup) for one in value]
    if not isinstance(value, str):
        return value
    if whole := _BUNDLE.fullmatch(value):
        return lookup(whole[1])
    return _BUNDLE.sub(lambda found: _as_text(lookup(found[1])), value)


class Variables:
    """What `${…}` stands for in one target: its variables, facts (`bundle.target`), fields of its resources."""

    def __init__(self, raw: Mapping[str, Any], facts: Mapping[str, str], resources: Mapping[str, Any]) -> None:
        """Take the unresolved values; each may name others."""
        self._raw = raw
        self._facts = facts
        self._resources = resources

    def __call__(self, reference: str, seen: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - any YAML value
        """Give the value of a reference; raise BundleError where it has none, or stands for itself."""
        if reference in self._facts:
            return self._facts[reference]
        if reference in seen:
            raise BundleError(f"${{{reference}}} stands for itself: {' -> '.join([*seen, reference])}.")
        try:
            found = self._unresolved(reference)
        except LookupError:
            known = ", ".join(sorted([*self._facts, *(f"var.{name}" for name in self._raw)]))
            raise BundleError(f"${{{reference}}} stands for nothing here; known are {known}.") from None
        return resolved(found, lambda inner: self(inner, (*seen, reference)))

    def _unresolved(self, reference: str) -> Any:  # noqa: ANN401 - any YAML value
        space, *names = reference.split(".")
        if space == "var" and len(names) == 1:
            return self._raw[names[0]]
        if space != "resources" or len(names) != len(("kind", "key", "field")):
            raise LookupError(reference)
        kind, key, name = names
        return self._resources[kind][key][name]


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put a run's values into a task's argument.

    A reference of another name space stays as it is, as Databricks leaves it; LookupError for an unknown name of the
    spaces `job`, `task` and `tasks`.
    """
    return _DYNAMIC.sub(lambda found: _dynamic(found, values), text)


def _dynamic(found: re.Match[str], values: Mapping[str, str]) -> str:
    name = found[1].replace("[", "").replace("]", "")
    if name in values:
        return values[name]
    if name.startswith(_RUN_SPACES):
        raise LookupError(f"{found[0]} stands for nothing; known are {', '.join(sorted(values))}.")
    return found[0]


def _as_text(value: Any) -> str:  # noqa: ANN401 - any YAML value
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        raise BundleError(f"A complex value can't stand within a text: {value!r}.")
    return str(value).lower() if isinstance(value, bool) else str(value)
