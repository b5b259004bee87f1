"""The named parameters of a job's task, and what is made of them."""

import argparse
from collections.abc import Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, cast, get_args

from lakehouse.follow import Intervals, Mode
from lakehouse.lake.naming import Names
from lakehouse.maintenance import LEAST_KEPT
from lakehouse.pipelines.catalogue import known_options
from lakehouse.pipelines.options import parse_options
from lakehouse.request import (
    InvalidParameter,
    RunRequest,
    parse_count,
    parse_duration,
    parse_instant,
    parse_lookups,
    parse_streams,
    parse_window_id,
)
from lakehouse.sources.configuration import EVENT_HUBS_CAPTURE_FORMAT, SourceConfig

MODES: tuple[str, ...] = get_args(Mode.__value__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeParameters:
    """What every job is told of the lake, as text.

    jars: a folder of jars, on one machine only; it also says that this is no Databricks cluster.
    """

    lake_root: str
    catalog: str = ""
    schema_prefix: str = ""
    jars: str = ""

    @property
    def jar_files(self) -> list[Path]:
        """Give the jars in the folder."""
        return sorted(Path(self.jars).glob("*.jar")) if self.jars else []

    @property
    def names(self) -> Names:
        """Say how the tables are called."""
        return Names(self.catalog, self.schema_prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(LakeParameters):
    """The named parameters of the job's task, as text; the names are those of `resources/follow_window.job.yml`.

    Those of the run are the job's own, with their contract in `contracts/documents/job_parameters.v1.schema.json`; the
    rest is of the target.
    """

    feed: str
    window_id: str
    window_start: str
    window_end: str
    streams: str
    checkpoint_root: str
    reference_url: str
    files_url: str
    sql_url: str
    source: str
    lookups: str = "{}"
    mode: str = "follow"
    grace: str = "00:00:30"
    drain_limit: str = "00:10:00"
    event_hubs_namespace: str = ""
    event_hubs_endpoint: str = ""
    authority_host: str = ""
    ca_bundle: str = ""
    capture_root: str = ""
    capture_format: str = EVENT_HUBS_CAPTURE_FORMAT
    capture_settle: str = "00:01:00"
    max_events_a_batch: str = "1000000"
    max_files_a_batch: str = "1000"
    tenant_id: str = ""
    client_id: str = ""
    service_credential: str = ""
    secret_scope: str = ""
    event_hubs_secret: str = "event-hubs-client-secret"  # noqa: S105 - its name
    cosmos_endpoint: str = ""
    cosmos_secret: str = ""
    storage_secret: str = "storage-connection-string"  # noqa: S105 - its name
    pii_secret: str = "pii-keys"  # noqa: S105 - its name
    power_bi_url: str = ""
    trigger_interval: str = "00:00:30"
    recount_every: str = "00:02:00"
    options: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceParameters(LakeParameters):
    """The named parameters of the task that looks after the tables, as text: `resources/maintenance.job.yml`."""

    kept_days: str = "30"

    @property
    def kept(self) -> timedelta:
        """Say how long unused files are kept; raises InvalidParameter below the seven days that Delta asks for."""
        kept = timedelta(days=parse_count("kept_days", self.kept_days))
        if kept < LEAST_KEPT:
            raise InvalidParameter(f"kept_days: {self.kept_days} is less than {LEAST_KEPT.days}, the least for Delta.")
        return kept


def parse_parameters[Named](arguments: Sequence[str], named: type[Named], purpose: str) -> Named:
    """Read `--name=value` arguments; argparse ends the process with code 2 where one is missing or unknown."""
    parser = argparse.ArgumentParser(prog="lakehouse", description=purpose)
    known: tuple[Field[Any], ...] = fields(cast("Any", named))
    for one in known:
        choices = MODES if one.name == "mode" else None
        parser.add_argument(f"--{one.name}", required=one.default is MISSING, default=one.default, choices=choices)
    return named(**vars(parser.parse_args(arguments)))


def run_request(parameters: Parameters) -> RunRequest:
    """Read what a run is asked to do; raises InvalidParameter."""
    streams, exported = parse_streams(parameters.streams)
    request = RunRequest(
        feed=parameters.feed,
        window_id=parse_window_id(parameters.feed, parameters.window_id),
        start=parse_instant("window_start", parameters.window_start),
        end=parse_instant("window_end", parameters.window_end),
        streams=streams,
        lookups=parse_lookups(parameters.lookups),
        grace=parse_duration("grace", parameters.grace),
        drain_limit=parse_duration("drain_limit", parameters.drain_limit),
        options=parse_options(parameters.options, known_options()),
        exported=exported,
    )
    if request.end <= request.start:
        raise InvalidParameter(
            f"window_end: {parameters.window_end} is not after window_start {parameters.window_start}."
        )
    return request


def mode_of(parameters: Parameters) -> Mode:
    """Give the mode; argparse has refused any other text."""
    return cast("Mode", parameters.mode)


def intervals_of(parameters: Parameters) -> Intervals:
    """Read how often a run does what; raises InvalidParameter."""
    return Intervals(
        trigger_interval=parse_duration("trigger_interval", parameters.trigger_interval),
        recount_every=parse_duration("recount_every", parameters.recount_every),
    )


def source_config(parameters: Parameters, client_secret: str) -> SourceConfig:
    """Give the configuration of the source that the target names; raises InvalidParameter."""
    return SourceConfig(
        kind=parameters.source,
        namespace=parameters.event_hubs_namespace,
        endpoint=parameters.event_hubs_endpoint,
        authority_host=parameters.authority_host,
        ca_bundle=parameters.ca_bundle,
        tenant_id=parameters.tenant_id,
        client_id=parameters.client_id,
        client_secret=client_secret,
        service_credential=parameters.service_credential,
        capture_root=parameters.capture_root,
        capture_format=parameters.capture_format,
        capture_settle=parse_duration("capture_settle", parameters.capture_settle),
        max_events_a_batch=parse_count("max_events_a_batch", parameters.max_events_a_batch),
        max_files_a_batch=parse_count("max_files_a_batch", parameters.max_files_a_batch),
        on_databricks=not parameters.jars,
    )
