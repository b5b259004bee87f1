"""A bundle as it would be deployed: its resources for one target, with every `${…}` resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.databricks.declaration import Declaration, read_declaration
from emulators.databricks.definitions import BundleError, Job, make_job
from emulators.databricks.substitution import Variables, resolved
from emulators.databricks.target_modes import (
    DEVELOPER,
    Presets,
    check_production,
    dashboard_with,
    job_with,
    presets_of,
    schema_with,
    short_name,
)

_NEEDS = {
    "jobs": ("name", "tasks"),
    "schemas": ("name", "catalog_name"),
    "volumes": ("name", "catalog_name", "schema_name"),
    "dashboards": ("display_name", "file_path", "warehouse_id"),
}
"""The kinds of resources that are known here, and the fields that one of each can't do without."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's folder, all its resources by kind and key, and its jobs by id."""

    folder: Path
    name: str
    target: str
    resources: Mapping[str, Mapping[str, Mapping[str, Any]]]
    jobs: Mapping[int, Job]


def read_bundle(folder: Path, target: str, given: Mapping[str, str] | None = None, user: str = DEVELOPER) -> Bundle:
    """Read the bundle in `folder` for one target as `user` would deploy it. Raise BundleError.

    `given` goes over the variables of the files. Schemas, volumes and dashboards are read and not made: nothing here
    needs them.
    """
    declared = read_declaration(folder, target)
    if needed := declared.needed(given or {}):
        given_how = " ".join(f"--variable {name}=…" for name in needed)
        raise BundleError(f"No value is assigned to the variables {', '.join(needed)} of {target}: give {given_how}.")
    lookup = Variables(declared.variables(given or {}), _facts(declared, user), declared.part("resources"))
    resources = _with_presets(declared, resolved(_checked(declared.part("resources")), lookup), lookup, user)
    _check_files(folder, resources.get("dashboards", {}))
    jobs = [make_job(key, job) for key, job in resources.get("jobs", {}).items()]
    return Bundle(folder, declared.name, target, resources, {job.job_id: job for job in jobs})


def _facts(declared: Declaration, user: str) -> dict[str, str]:
    return {
        "bundle.name": declared.name,
        "bundle.target": declared.target,
        "workspace.current_user.userName": user,
        "workspace.current_user.short_name": short_name(user),
    }


def _checked(resources: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(resources) - set(_NEEDS)):
        raise BundleError(f"resources has {', '.join(unknown)}; nothing is known here but {', '.join(_NEEDS)}.")
    for kind, needs in _NEEDS.items():
        for key, settings in (resources.get(kind) or {}).items():
            if missing := [name for name in needs if name not in (settings or {})]:
                raise BundleError(f"resources.{kind}.{key} lacks {', '.join(missing)}.")
    return {kind: found or {} for kind, found in resources.items()}


def _with_presets(
    declared: Declaration, resources: Mapping[str, Any], lookup: Variables, user: str
) -> dict[str, dict[str, Any]]:
    mode = str(declared.settings.get("mode") or "")
    check_production(resolved(declared.part("workspace"), lookup), mode)
    presets = presets_of(resolved(declared.part("presets"), lookup), mode, user)
    of_schemas = Presets() if declared.part("experimental").get("skip_name_prefix_for_schema") else presets
    run_as = resolved(declared.part("run_as"), lookup)
    return {kind: dict(found) for kind, found in resources.items()} | {
        "jobs": {key: job_with(presets, job, run_as) for key, job in resources.get("jobs", {}).items()},
        "schemas": {key: schema_with(of_schemas, schema) for key, schema in resources.get("schemas", {}).items()},
        **_dashboards(presets, resources, run_as),
    }


def _dashboards(presets: Presets, resources: Mapping[str, Any], run_as: Mapping[str, Any]) -> dict[str, Any]:
    """Give the dashboards as they are deployed; the CLI refuses one with its owner's rights where others run jobs."""
    found = resources.get("dashboards")
    if not found:
        return {}
    if run_as and any(dashboard.get("embed_credentials") for dashboard in found.values()):
        raise BundleError("A dashboard with embed_credentials can't be in a target that sets run_as.")
    return {"dashboards": {key: dashboard_with(presets, dashboard) for key, dashboard in found.items()}}


def _check_files(folder: Path, dashboards: Mapping[str, Mapping[str, Any]]) -> None:
    for key, dashboard in dashboards.items():
        if not (folder / dashboard["file_path"]).is_file():
            raise BundleError(f"resources.dashboards.{key}.file_path is {dashboard['file_path']}, which is not there.")
