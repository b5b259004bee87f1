"""Who may see, start and end the runs of a job: what `permissions` of the job say."""

from typing import get_args

from emulators.databricks.definitions import Job, Level
from emulators.databricks.refusals import not_permitted

_LEVELS: tuple[Level, ...] = get_args(Level)
_EVERYBODY = "users"


def may(job: Job | None, caller: str, needed: Level) -> bool:
    """Say whether the caller's level on the job is high enough.

    A job without permissions is open to every token, since nobody owns it here; so are runs whose job is gone.
    """
    if job is None or not job.definition.permissions:
        return True
    names = {caller.lower(), _EVERYBODY}
    held = (one.level for one in job.definition.permissions if one.name.lower() in names)
    return any(_LEVELS.index(level) >= _LEVELS.index(needed) for level in held)


def check_access(job: Job | None, caller: str, needed: Level) -> None:
    """Raise Refusal for a caller who may not do this with the job."""
    if job and not may(job, caller, needed):
        raise not_permitted(caller, needed, job.job_id)
