"""What a bundle's files say, as one target sees it and before anything is put in the place of `${…}`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from emulators.databricks.definitions import BundleError

_IDENTITY_KEYS = ("task_key", "job_cluster_key", "environment_key", "name")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A bundle for one target: `settings` is all that its files hold, with what the target says laid over it."""

    folder: Path
    target: str
    settings: Mapping[str, Any]
    assigned: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Give the bundle's name."""
        return str(self.part("bundle").get("name", ""))

    def part(self, name: str) -> Mapping[str, Any]:
        """Give one of the mappings at the top; empty where there is none."""
        return self.settings.get(name) or {}

    def variables(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Give every variable that has a value: what is `given`, the target's, its default. Raise BundleError."""
        declared = {name: about or {} for name, about in self.part("variables").items()}
        if unknown := sorted((set(self.assigned) | set(given)) - set(declared)):
            raise BundleError(f"The bundle declares no variable {', '.join(unknown)}; it has {', '.join(declared)}.")
        defaults = {name: about["default"] for name, about in declared.items() if "default" in about}
        targets = {name: _assigned(value) for name, value in self.assigned.items()}
        values = {name: value for name, value in (defaults | targets | dict(given)).items() if value is not None}
        for name, value in values.items():
            _check_type(name, value, is_complex=declared[name].get("type") == "complex")
        return values

    def needed(self, given: Mapping[str, str]) -> list[str]:
        """List the variables that must come from outside."""
        return [name for name in self.part("variables") if name not in self.variables(given)]


def read_declaration(folder: Path, target: str) -> Declaration:
    """Read `databricks.yml` in `folder` and what it includes. Raise BundleError."""
    whole = _whole(folder)
    targets = whole.pop("targets", None) or {}
    if target not in targets:
        raise BundleError(f"{folder} has no target {target!r}; it has {', '.join(targets) or 'none'}.")
    chosen = dict(targets[target] or {})
    assigned = chosen.pop("variables", None) or {}
    return Declaration(folder, target, merged(whole, chosen), assigned)


def targets_of(folder: Path) -> list[str]:
    """List the targets of the bundle in `folder`. Raise BundleError."""
    return list(_whole(folder).get("targets") or {})


def merged(base: Any, over: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Lay one YAML value over another as bundles do.

    Mappings go together by key, lists of tasks, clusters and parameters by theirs, other lists one after the other.
    """
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        both = {key: merged(base[key], over[key]) for key in base if key in over}
        return {**base, **over, **both}
    if isinstance(base, list) and isinstance(over, list):
        return _joined(base, over)
    return over


def _joined(base: Sequence[Any], over: Sequence[Any]) -> list[Any]:
    named = {_identity(item): item for item in base if _identity(item)}
    if len(named) != len(base):
        return [*base, *over]
    for item in over:
        known = named.get(_identity(item))
        named[_identity(item)] = item if known is None else merged(known, item)
    return list(named.values())


def _identity(item: Any) -> str:  # noqa: ANN401 - any YAML value
    found = (str(item[key]) for key in _IDENTITY_KEYS if isinstance(item, Mapping) and key in item)
    return next(found, "")


def _whole(folder: Path) -> dict[str, Any]:
    root = _read(folder / "databricks.yml")
    for path in _included(folder, root.get("include") or []):
        root = merged(root, _read(path))
    return root


def _included(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if not found and "*" not in pattern:
            raise BundleError(f"{folder / 'databricks.yml'} includes {pattern}, which is not there.")
        yield from found


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise BundleError(f"{path} can't be read: {error}") from error
    if not isinstance(found, dict):
        raise BundleError(f"{path} holds no mapping at its top.")
    return found


def _assigned(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    return value["default"] if isinstance(value, Mapping) and "default" in value else value


def _check_type(name: str, value: Any, *, is_complex: bool) -> None:  # noqa: ANN401 - any YAML value
    if isinstance(value, Mapping | list) and not is_complex:
        raise BundleError(f"The variable {name} holds a mapping or list: declare it with type: complex.")
    if isinstance(value, str) and is_complex:
        raise BundleError(f"The variable {name} is complex; a text can't be its value.")
