"""The named parameters of a job's task, and what is made of them."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast, get_args

from lakehouse.follow import Mode
from lakehouse.request import (
    InvalidParameter,
    RunRequest,
    parse_duration,
    parse_instant,
    parse_lookups,
    parse_stream,
    parse_window_id,
)
from lakehouse.sources.configuration import SourceConfig

MODES: tuple[str, ...] = get_args(Mode.__value__)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The named parameters of the job's task, as text; the names are those of `resources/*.job.yml`.

    Those of the run are the job's own, with their contract in `contracts/documents/job_parameters.v1.schema.json`; the
    rest is of the target. jars: a folder of jars, on one machine only; it also says that this is no Databricks cluster.
    """

    feed: str
    window_id: str
    window_start: str
    window_end: str
    streams: str
    lake_root: str
    checkpoint_root: str
    reference_url: str
    sql_url: str
    source: str
    event_hubs_namespace: str = ""
    event_hubs_endpoint: str = ""
    authority_host: str = ""
    ca_bundle: str = ""
    capture_root: str = ""
    tenant_id: str = ""
    client_id: str = ""
    secret_scope: str = ""
    power_bi_url: str = ""
    lookups: str = "{}"
    mode: str = "follow"
    grace: str = "00:00:30"
    drain_limit: str = "00:10:00"
    jars: str = ""

    @property
    def jar_files(self) -> list[Path]:
        """Give the jars in the folder."""
        return sorted(Path(self.jars).glob("*.jar")) if self.jars else []


def parse_parameters(arguments: Sequence[str]) -> Parameters:
    """Read `--name=value` arguments; argparse ends the process with code 2 where one is missing or unknown."""
    parser = argparse.ArgumentParser(prog="lakehouse", description="Follow a window from its hub to SQL.")
    for field in fields(Parameters):
        required = field.name in REQUIRED
        choices = MODES if field.name == "mode" else None
        parser.add_argument(f"--{field.name}", required=required, default=field.default, choices=choices)
    return Parameters(**vars(parser.parse_args(arguments)))


def run_request(parameters: Parameters) -> RunRequest:
    """Read what a run is asked to do; raises InvalidParameter."""
    request = RunRequest(
        feed=parameters.feed,
        window_id=parse_window_id(parameters.feed, parameters.window_id),
        start=parse_instant("window_start", parameters.window_start),
        end=parse_instant("window_end", parameters.window_end),
        stream=parse_stream(parameters.streams),
        lookups=parse_lookups(parameters.lookups),
        grace=parse_duration("grace", parameters.grace),
        drain_limit=parse_duration("drain_limit", parameters.drain_limit),
    )
    if request.end <= request.start:
        raise InvalidParameter(
            f"window_end: {parameters.window_end} is not after window_start {parameters.window_start}."
        )
    return request


def mode_of(parameters: Parameters) -> Mode:
    """Give the mode; argparse has refused any other text."""
    return cast("Mode", parameters.mode)


def source_config(parameters: Parameters, client_secret: str) -> SourceConfig:
    """Give the configuration of the source that the target names."""
    return SourceConfig(
        kind=parameters.source,
        namespace=parameters.event_hubs_namespace,
        endpoint=parameters.event_hubs_endpoint,
        authority_host=parameters.authority_host,
        ca_bundle=parameters.ca_bundle,
        tenant_id=parameters.tenant_id,
        client_id=parameters.client_id,
        client_secret=client_secret,
        capture_root=parameters.capture_root,
        on_databricks=not parameters.jars,
    )


REQUIRED = {
    "feed",
    "window_id",
    "window_start",
    "window_end",
    "streams",
    "lake_root",
    "checkpoint_root",
    "reference_url",
    "sql_url",
    "source",
}
