"""What `mode` and `presets` of a target add to its resources, as the Databricks CLI does it on deployment."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from emulators.databricks.definitions import TRIGGERS, BundleError

DEVELOPER = "developer@localhost"
_DEVELOPMENT_RUNS = 4
_MODES = ("", "development", "production")

PauseStatus = Literal["", "PAUSED", "UNPAUSED"]


class Presets(msgspec.Struct, frozen=True):
    """`presets`: an empty text and 0 are the same as nothing, so a mode's own values can't be taken away by them."""

    name_prefix: str = ""
    tags: dict[str, str] = {}
    jobs_max_concurrent_runs: int = 0
    trigger_pause_status: PauseStatus = ""


def short_name(user: str) -> str:
    """Write `${workspace.current_user.short_name}`: the part before the @, with underscores for all but letters."""
    return re.sub(r"[\W_]", "_", user.partition("@")[0].lower())


def presets_of(stated: Mapping[str, Any], mode: str, user: str) -> Presets:
    """Give the presets that hold in a target; raise BundleError for those that the CLI refuses."""
    if mode not in _MODES:
        raise BundleError(f"mode is {mode!r}; development or production is required.")
    try:
        presets = msgspec.convert(dict(stated), Presets, strict=False)
    except msgspec.ValidationError as error:
        raise BundleError(f"presets can't be read: {error}.") from error
    return _in_development(presets, user) if mode == "development" else presets


def check_production(workspace: Mapping[str, Any], mode: str) -> None:
    """Raise BundleError for a production target of which several copies could be deployed."""
    if mode == "production" and not workspace.get("root_path"):
        raise BundleError("A target in mode production must set workspace.root_path: only one copy is deployed.")


def job_with(presets: Presets, job: Mapping[str, Any], run_as: Mapping[str, Any]) -> dict[str, Any]:
    """Give a job's settings as they are deployed; the queue is on where the job does not speak of it."""
    changed = ({"run_as": run_as} if run_as else {}) | dict(job) | {"name": f"{presets.name_prefix}{job['name']}"}
    if tags := presets.tags | dict(job.get("tags") or {}):
        changed["tags"] = tags
    if not job.get("max_concurrent_runs") and presets.jobs_max_concurrent_runs:
        changed["max_concurrent_runs"] = presets.jobs_max_concurrent_runs
    if "queue" not in job and "continuous" not in job:
        changed["queue"] = {"enabled": True}
    if presets.trigger_pause_status:
        paused = {"pause_status": presets.trigger_pause_status}
        changed |= {name: paused | job[name] for name in TRIGGERS if name in job}
    return changed


def dashboard_with(presets: Presets, dashboard: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dashboard's settings as they are deployed."""
    return dict(dashboard) | {"display_name": f"{presets.name_prefix}{dashboard['display_name']}"}


def schema_with(presets: Presets, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema's settings as they are deployed: the prefix without its special characters."""
    prefix = "_".join(re.findall(r"\w+", presets.name_prefix.lower()))
    return dict(schema) | {"name": f"{prefix}_{schema['name']}" if prefix else schema["name"]}


def _in_development(stated: Presets, user: str) -> Presets:
    short = short_name(user)
    if stated.trigger_pause_status == "UNPAUSED":
        raise BundleError("A target in mode development can't set presets.trigger_pause_status to UNPAUSED.")
    if stated.name_prefix and user not in stated.name_prefix and short not in stated.name_prefix:
        raise BundleError(
            f"presets.name_prefix is {stated.name_prefix!r}; in mode development it must hold the user's name,"
            " as ${workspace.current_user.short_name} does."
        )
    return Presets(
        name_prefix=stated.name_prefix or f"[dev {short}] ",
        tags={"dev": short} | stated.tags,
        jobs_max_concurrent_runs=stated.jobs_max_concurrent_runs or _DEVELOPMENT_RUNS,
        trigger_pause_status=stated.trigger_pause_status or "PAUSED",
    )
