"""The bundle on disk: `databricks.yml` and what it includes, as one target sees its jobs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from emulators.databricks.definitions import BundleError, Job, make_job
from emulators.databricks.substitution import Variables, resolved

_IDENTITY_KEYS = ("task_key", "job_cluster_key", "environment_key", "name")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's folder, and its jobs by id with everything resolved."""

    folder: Path
    name: str
    target: str
    jobs: Mapping[int, Job]


def read_bundle(folder: Path, target: str, given: Mapping[str, str] | None = None) -> Bundle:
    """Read the bundle in `folder` for one target; `given` goes over the variables of the files.

    What `mode` and `presets` add to names is left out: a job is called what its file says. Raise BundleError.
    """
    whole = _whole(folder)
    targets = whole.get("targets") or {}
    if target not in targets:
        raise BundleError(f"{folder} has no target {target!r}; it has {', '.join(targets) or 'none'}.")
    chosen = targets[target] or {}
    name = str((whole.get("bundle") or {}).get("name", ""))
    variables = Variables(_variables(whole, chosen, given or {}), {"bundle.target": target, "bundle.name": name})
    resources = merged(whole.get("resources") or {}, chosen.get("resources") or {})
    jobs = [make_job(key, resolved(job, variables)) for key, job in (resources.get("jobs") or {}).items()]
    return Bundle(folder, name, target, {job.job_id: job for job in jobs})


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


def _variables(whole: Mapping[str, Any], chosen: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared = {name: (about or {}).get("default") for name, about in (whole.get("variables") or {}).items()}
    targets = {name: _assigned(value) for name, value in (chosen.get("variables") or {}).items()}
    if unknown := sorted((set(targets) | set(given)) - set(declared)):
        raise BundleError(f"The bundle declares no variable {', '.join(unknown)}; it has {', '.join(declared)}.")
    return declared | targets | dict(given)


def _assigned(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    return value["default"] if isinstance(value, Mapping) and "default" in value else value
