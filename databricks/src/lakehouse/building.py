"""Brings the parts of a run together; the one place that knows them all."""

import logging
import time
from collections.abc import Callable

from azure.identity import ClientSecretCredential
from pyspark.sql import SparkSession

from lakehouse.chain import Chain
from lakehouse.config import Parameters, source_config
from lakehouse.counting.counted import counted_tables
from lakehouse.counting.counts import Counting
from lakehouse.follow import Clock
from lakehouse.lake.tables import Lake
from lakehouse.pipelines.catalogue import PIPELINES
from lakehouse.pipelines.checks import check_pipelines
from lakehouse.pipelines.gold import Gold
from lakehouse.reference import reference_store
from lakehouse.request import RunRequest
from lakehouse.secrets import read_secret
from lakehouse.sinks.jdbc import database
from lakehouse.sinks.power_bi import PowerBi, RateLimit, post_json
from lakehouse.sinks.push import Push, no_push, pushing
from lakehouse.sinks.sql import SqlSink
from lakehouse.sources.port import source_from
from lakehouse.streams.silver import Silver

logger = logging.getLogger(__name__)

_SQL_SCOPE = "https://database.windows.net/.default"
_FROM_SCOPE = "secret:"


def build_chain(parameters: Parameters, request: RunRequest, spark: SparkSession, clock: Clock) -> Chain:
    """Bring the parts together; raises what the first of them refuses."""
    raise NotImplementedError
