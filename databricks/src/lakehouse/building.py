"""Brings the parts of a run together; the one place that knows them all."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from azure.identity import ClientSecretCredential
from pyspark.sql import SparkSession

from lakehouse.chain import Chain
from lakehouse.config import Parameters, source_config
from lakehouse.cosmos_beside import CosmosBeside
from lakehouse.counting.counted import counted_tables
from lakehouse.counting.counts import Counting
from lakehouse.exports import Exports
from lakehouse.follow import Clock
from lakehouse.lake.compiling import Compiling
from lakehouse.lake.tables import Lake
from lakehouse.lookups import LookupContract, Lookups, lookup_contracts
from lakehouse.personal_data import PiiKeys, parse_pii_keys
from lakehouse.pipelines.bounds import wheel_contracts
from lakehouse.pipelines.catalogue import PIPELINES, pipeline_of
from lakehouse.pipelines.checks import refuse_bad
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.reference import ReferenceStore, reference_store
from lakehouse.request import Container, InvalidParameter, RunRequest
from lakehouse.secrets import read_secret
from lakehouse.sinks.jdbc import database
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.power_bi import PowerBi, RateLimit, post_json
from lakehouse.sinks.push import PushingSink
from lakehouse.sinks.sql import SqlSink
from lakehouse.sources.cosmos.feed import ChangeFeed, CosmosLogin
from lakehouse.sources.port import source_from
from lakehouse.sources.reading import Source
from lakehouse.streams.cosmos import CosmosSilver
from lakehouse.streams.silver import Silver
from lakehouse.streams.versions import Versions, newest_of, versions_of

logger = logging.getLogger(__name__)

_SQL_SCOPE = "https://database.windows.net/.default"
_FROM_SCOPE = "secret:"


def build_chain(parameters: Parameters, request: RunRequest, spark: SparkSession, clock: Clock) -> Chain:
    """Bring the parts together; raises what the first of them refuses."""
    refuse_bad(PIPELINES.values(), wheel_contracts())
    by_http = any(url.startswith("http") for url in (parameters.reference_url, parameters.files_url))
    connection = read_secret(parameters.storage_secret, scope=parameters.secret_scope) if by_http else ""
    sql = SqlSink(spark, database(parameters.sql_url, _token(parameters)), length_of, now=clock.now, sleep=clock.sleep)
    outside = Outside(
        source=source_from(source_config(parameters, _hub_secret(parameters))),
        checkpoint_root=parameters.checkpoint_root,
        store=reference_store(spark, parameters.reference_url, connection),
        files=reference_store(spark, parameters.files_url, connection),
        sql=sql,
        publisher=_pushing(parameters, sql, clock),
        pii_keys=pii_keys_of(parameters, pipeline_of(request.feed)),
        change_feed=change_feed_of(parameters, request),
    )
    return assemble(Lake(spark, parameters.names), request, outside, _log_stage)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a chain works with beside the lake.

    store, files: the containers `reference` and `lake`. publisher: `sql`, or what pushes its rows as well. pii_keys:
    None where no lookup of the feed has personal columns. change_feed: gives the feed of a container of Cosmos DB.
    """

    source: Source
    checkpoint_root: str
    store: ReferenceStore
    files: ReferenceStore
    sql: SqlSink
    publisher: SqlSink | PushingSink
    pii_keys: PiiKeys | None = None
    change_feed: Callable[[Container], ChangeFeed] | None = None


def assemble(
    lake: Lake, request: RunRequest, outside: Outside, on_stage_done: Callable[[str], None] = lambda _: None
) -> Chain:
    """Make the chain of a run, by the contracts of its streams and the pipeline of its feed."""
    pipeline = pipeline_of(request.feed).given(request.options)
    lookups = Lookups(lake.spark, outside.store, request.lookups, lookups_of(pipeline), outside.pii_keys)
    versions = {one.name: versions_of(one.contract) for one in request.streams}
    counted = counted_tables(request.feed, [one.newest for one in versions.values()], pipeline)
    return Chain(
        lake=lake,
        request=request,
        source=outside.source,
        checkpoint_root=outside.checkpoint_root,
        store=outside.store,
        silver={name: Silver(lake, request.feed, known) for name, known in versions.items()},
        beside=[newest_of(name) for name in sorted(pipeline.streams(lookups.contracts) - set(versions))],
        pipeline=pipeline,
        gold=Gold(lake, pipeline, lookups, [outside.publisher]),
        sql=outside.sql,
        publisher=outside.publisher,
        counting=Counting(lake, counted),
        compiling=Compiling(lake.spark),
        cosmos=CosmosBeside(lake, _containers(lake, request, versions, outside)),
        exports=_exports(lake, request, outside),
        on_stage_done=on_stage_done,
    )


def _exports(lake: Lake, request: RunRequest, outside: Outside) -> Exports:
    silver = {one.name: Silver(lake, request.feed, versions_of(one.contract)) for one in request.exported}
    return Exports(lake, outside.files, {one.name: one.files for one in request.exported}, silver)


def lookups_of(pipeline: Pipeline) -> dict[str, LookupContract]:
    """Give the contracts of all lookups, of personal columns with those alone that a table of the pipeline repeats."""
    return {name: one.with_personal(pipeline.columns_of(name)) for name, one in lookup_contracts().items()}


def _containers(
    lake: Lake, request: RunRequest, versions: Mapping[str, Versions], outside: Outside
) -> dict[str, CosmosSilver]:
    if outside.change_feed is None:
        return {}
    return {
        one.name: CosmosSilver(lake, versions[one.name], one.cosmos, outside.change_feed(one.cosmos))
        for one in request.streams
        if one.cosmos
    }


def change_feed_of(parameters: Parameters, request: RunRequest) -> Callable[[Container], ChangeFeed] | None:
    """Say how containers are read; None where the run names none. Raises InvalidParameter without an account.

    The key is read where its name is given, else the service principal logs in.
    """
    if not any(one.cosmos for one in request.streams):
        return None
    if not parameters.cosmos_endpoint:
        raise InvalidParameter("cosmos_endpoint: a stream names a container of Cosmos DB; give the account's URL.")
    from lakehouse.sources.cosmos.client import ContainerFeed  # noqa: PLC0415 (other runs need no azure.cosmos)

    scope, by_key = parameters.secret_scope, parameters.cosmos_secret
    login = CosmosLogin(
        endpoint=parameters.cosmos_endpoint,
        key=read_secret(by_key, scope=scope) if by_key else "",
        tenant_id=parameters.tenant_id,
        client_id=parameters.client_id,
        client_secret="" if by_key else read_secret(parameters.event_hubs_secret, scope=scope),
        authority_host=parameters.authority_host,
        ca_bundle=parameters.ca_bundle,
    )
    return partial(ContainerFeed, login)


def pii_keys_of(parameters: Parameters, pipeline: Pipeline) -> PiiKeys | None:
    """Read the keys of tokens of a pipeline that takes personal columns; raises SecretMissing and BadKeys."""
    contracts, inputs = lookups_of(pipeline), {name for table in pipeline.tables for name in table.inputs}
    if not any(contracts[name].personal for name in inputs & set(contracts)):
        return None
    return parse_pii_keys(read_secret(parameters.pii_secret, scope=parameters.secret_scope))


def _log_stage(stage: str) -> None:
    logger.info("lakehouse.stage_done stage=%s", stage)


def _hub_secret(parameters: Parameters) -> str:
    """Read the client secret where the source logs in with one."""
    if parameters.source == "capture" or parameters.service_credential:
        return ""
    return read_secret(parameters.event_hubs_secret, scope=parameters.secret_scope)


def _token(parameters: Parameters) -> Callable[[], str] | None:
    """Give the service principal's token for Azure SQL, fetched anew when it has expired; none for SQLite."""
    if not parameters.sql_url.startswith("jdbc:sqlserver:"):
        return None
    secret = read_secret(parameters.event_hubs_secret, scope=parameters.secret_scope)
    credential = ClientSecretCredential(parameters.tenant_id, parameters.client_id, secret)
    return lambda: credential.get_token(_SQL_SCOPE).token


def _pushing(parameters: Parameters, sql: SqlSink, clock: Clock) -> SqlSink | PushingSink:
    """Push to Power BI as well where a URL is given; that holds a key, so it may be given as `secret:<name>`."""
    url = parameters.power_bi_url
    if url.startswith(_FROM_SCOPE):
        url = read_secret(url.removeprefix(_FROM_SCOPE), scope=parameters.secret_scope)
    return PushingSink(sql, PowerBi(url, RateLimit(time.monotonic, clock.sleep), post_json)) if url else sql
