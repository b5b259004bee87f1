"""What a job is: the part of a `*.job.yml` that decides how its runs go."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal

import msgspec

TRIGGERS = ("schedule", "trigger", "continuous")
"""What would start runs by itself; nothing here does."""

_ID_BYTES = 6

_ALL_BUT_ONE = 2

Level = Literal["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"]
type Count = Annotated[int, msgspec.Meta(ge=0)]


class BundleError(Exception):
    """The bundle can't be used; the text names the file or job, the value and the rule."""


class WheelTask(msgspec.Struct, frozen=True):
    """`python_wheel_task`: a package's entry point and its arguments, positional or named."""

    package_name: str
    entry_point: str
    parameters: tuple[str, ...] = ()
    named_parameters: dict[str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse arguments of both kinds, as the Jobs API does."""
        if self.parameters and self.named_parameters:
            raise ValueError("give either parameters or named_parameters")


class Dependency(msgspec.Struct, frozen=True):
    """The task that has to succeed first."""

    task_key: str


class Cluster(msgspec.Struct, frozen=True):
    """Of a cluster only the environment counts on one machine."""

    spark_env_vars: dict[str, str] = {}


class JobCluster(msgspec.Struct, frozen=True):
    """A cluster that several tasks of a job share."""

    job_cluster_key: str
    new_cluster: Cluster = Cluster()


class Task(msgspec.Struct, frozen=True):
    """One task; a timeout of 0 is none, `max_retries` of -1 retries for ever."""

    task_key: str
    python_wheel_task: WheelTask | None = None
    depends_on: tuple[Dependency, ...] = ()
    job_cluster_key: str | None = None
    new_cluster: Cluster | None = None
    timeout_seconds: Count = 0
    max_retries: Annotated[int, msgspec.Meta(ge=-1)] = 0
    min_retry_interval_millis: Count = 0
    retry_on_timeout: bool = False


class Parameter(msgspec.Struct, frozen=True):
    """A job parameter with the value it has where the caller gives none."""

    name: str
    default: str


class Queue(msgspec.Struct, frozen=True):
    """Whether a run waits for its turn."""

    enabled: bool


class HealthRule(msgspec.Struct, frozen=True):
    """What would make a run unhealthy; read and not acted on."""

    metric: Literal[
        "RUN_DURATION_SECONDS",
        "STREAMING_BACKLOG_BYTES",
        "STREAMING_BACKLOG_FILES",
        "STREAMING_BACKLOG_RECORDS",
        "STREAMING_BACKLOG_SECONDS",
    ]
    op: Literal["GREATER_THAN"]
    value: int


class Health(msgspec.Struct, frozen=True):
    """The rules of a job's health."""

    rules: tuple[HealthRule, ...]


class Schedule(msgspec.Struct, frozen=True):
    """When runs would start by themselves; read and not acted on."""

    quartz_cron_expression: str
    timezone_id: str
    pause_status: Literal["PAUSED", "UNPAUSED"] = "UNPAUSED"


class Principal(msgspec.Struct, frozen=True):
    """A user, a service principal by its application id, or a group."""

    user_name: str | None = None
    service_principal_name: str | None = None
    group_name: str | None = None

    def __post_init__(self) -> None:
        """Refuse all but one name."""
        if [self.user_name, self.service_principal_name, self.group_name].count(None) != _ALL_BUT_ONE:
            raise ValueError("give one of user_name, service_principal_name and group_name")

    @property
    def name(self) -> str:
        """Give its name, whatever it is."""
        return self.user_name or self.service_principal_name or self.group_name or ""


class Permission(Principal, frozen=True, kw_only=True):
    """Who may do what with a job."""

    level: Level


class JobDefinition(msgspec.Struct, frozen=True):
    """The settings of a job as its YAML states them."""

    name: str
    tasks: tuple[Task, ...]
    parameters: tuple[Parameter, ...] = ()
    job_clusters: tuple[JobCluster, ...] = ()
    max_concurrent_runs: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    queue: Queue = Queue(enabled=False)
    timeout_seconds: Count = 0
    health: Health | None = None
    schedule: Schedule | None = None
    permissions: tuple[Permission, ...] = ()
    run_as: Principal | None = None

    def environment_of(self, task: Task) -> Mapping[str, str]:
        """Give the `spark_env_vars` of the cluster that the task runs on."""
        shared = {cluster.job_cluster_key: cluster.new_cluster for cluster in self.job_clusters}
        cluster = task.new_cluster or shared.get(task.job_cluster_key or "")
        return cluster.spark_env_vars if cluster else {}


@dataclass(frozen=True, slots=True)
class Job:
    """A deployed job: its id is drawn from its key in the bundle, so that it outlives restarts."""

    job_id: int
    key: str
    definition: JobDefinition
    settings: Mapping[str, Any]


def make_job(key: str, settings: Mapping[str, Any]) -> Job:
    """Read one resolved job; raise BundleError that names the job and the field at fault."""
    try:
        definition = msgspec.convert(settings, JobDefinition, strict=False)
    except msgspec.ValidationError as error:
        raise BundleError(f"The job {key!r} can't be read: {error}.") from error
    _check_tasks(key, definition.tasks)
    return Job(_job_id(key), key, definition, settings)


def _job_id(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:_ID_BYTES])


def _check_tasks(key: str, tasks: Sequence[Task]) -> None:
    graph = {task.task_key: [one.task_key for one in task.depends_on] for task in tasks}
    if len(graph) != len(tasks):
        raise BundleError(f"The job {key!r} has two tasks of one task_key.")
    unknown = sorted({one for needed in graph.values() for one in needed} - set(graph))
    if unknown:
        raise BundleError(f"The job {key!r} has no task {', '.join(unknown)}, which depends_on names.")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise BundleError(f"The tasks of the job {key!r} wait for each other: {' -> '.join(error.args[1])}.") from error
