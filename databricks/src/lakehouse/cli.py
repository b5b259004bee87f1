"""The entry point of every job: reads the parameters, brings the parts together and follows the window."""

import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from azure.identity import ClientSecretCredential
from pyspark.sql import SparkSession

from lakehouse.chain import Chain
from lakehouse.config import Parameters, mode_of, parse_parameters, run_request, source_config
from lakehouse.streams.contract import load_contract
from lakehouse.follow import Finished, run
from lakehouse.lake.tables import Lake
from lakehouse.counting.reconciling import reconciliation
from lakehouse.reference import reference_store
from lakehouse.request import RunRequest
from lakehouse.secrets import read_secret
from lakehouse.session import spark_session
from lakehouse.sinks.jdbc import database
from lakehouse.sinks.power_bi import PowerBi, RateLimit, post_json
from lakehouse.sinks.push import Push, no_push, pushing
from lakehouse.sinks.sql import SqlSink
from lakehouse.sources.port import source_from

logger = logging.getLogger("lakehouse")

_SQL_SCOPE = "https://database.windows.net/.default"
_FROM_SCOPE = "secret:"


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Give the time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


def follow_window() -> None:
    """Run the job's task: `follow-window --feed=… --window_id=… --streams=… …`."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    logging.getLogger("azure").setLevel(logging.WARNING)
    main(sys.argv[1:], SystemClock())


def main(arguments: Sequence[str], clock: SystemClock) -> Finished:
    """Follow the window that the arguments name and print one line of JSON that says how that ended."""
    parameters = parse_parameters(arguments)
    request = run_request(parameters)
    spark = spark_session(
        f"{request.stream.name} {request.window_id}", lake_root=parameters.lake_root, jars=parameters.jar_files
    )
    try:
        chain = build(parameters, request, spark, clock)
        finished = run(request, mode_of(parameters), chain, clock)
        print(json.dumps(summary(finished, chain)), flush=True)
    finally:
        if parameters.jars:
            spark.stop()
    return finished


def build(parameters: Parameters, request: RunRequest, spark: SparkSession, clock: SystemClock) -> Chain:
    """Bring the parts together; raises what the first of them refuses."""
    secret = _secrets(parameters.secret_scope)
    sql = SqlSink(spark, database(parameters.sql_url, _token(parameters)), now=clock.now, sleep=clock.sleep)
    by_http = parameters.reference_url.startswith("http")
    connection = secret("STORAGE_CONNECTION_STRING") if by_http else ""
    needs_secret = parameters.source != "capture"
    config = source_config(parameters, secret("EVENT_HUBS_CLIENT_SECRET") if needs_secret else "")
    return Chain(
        lake=Lake(spark),
        contract=load_contract(request.stream.contract),
        request=request,
        source=source_from(config),
        checkpoint_root=parameters.checkpoint_root,
        store=reference_store(spark, parameters.reference_url, connection),
        sql=sql,
        push=_push(parameters, sql, clock),
        on_stage_done=lambda stage: logger.info("lakehouse.stage_done stage=%s", stage),
    )


def summary(finished: Finished, chain: Chain) -> dict[str, Any]:
    """Say how a run ended, as one JSON object: ending, counts, verdict, and what needs a look."""
    counts = {name: value for name, value in asdict(finished.counts).items() if name != "arrived" and value is not None}
    found = reconciliation(finished.closed, finished.counts) if finished.closed else None
    return {
        "event": "lakehouse.run_ended",
        "feed": chain.request.feed,
        "window_id": chain.request.window_id,
        "stream": chain.contract.stream,
        "ending": finished.ending,
        "passes": finished.passes,
        "behind": dict(finished.behind),
        "counts": counts,
        "verdict": found.verdict if found else "open",
        "differences": [str(difference) for difference in found.differences] if found else [],
        "surplus": dict(found.surplus) if found else {},
        "warnings": _warnings(finished, chain),
    }


def _warnings(finished: Finished, chain: Chain) -> list[str]:
    counts, warnings = finished.counts, []
    if finished.ending == "gave_up":
        warnings.append(
            f"gave up at {chain.request.gives_up_at.isoformat()}, when the window was not closed or not read whole"
        )
    if counts.quarantined:
        reasons = ", ".join(f"{reason} ({rows})" for reason, rows in chain.quarantine_reasons())
        share = "every record" if counts.quarantined == counts.bronze_records else f"{counts.quarantined} records"
        warnings.append(f"{share} of the window is in quarantine: {reasons}")
    return warnings


def _secrets(scope: str) -> Callable[[str], str]:
    return lambda name: read_secret(name, scope=scope)


def _token(parameters: Parameters) -> Callable[[], str] | None:
    """Give the service principal's token for Azure SQL, fetched anew when it has expired; none for SQLite."""
    if not parameters.sql_url.startswith("jdbc:sqlserver:"):
        return None
    secret = read_secret("EVENT_HUBS_CLIENT_SECRET", scope=parameters.secret_scope)
    credential = ClientSecretCredential(parameters.tenant_id, parameters.client_id, secret)
    return lambda: credential.get_token(_SQL_SCOPE).token


def _push(parameters: Parameters, sql: SqlSink, clock: SystemClock) -> Push:
    """Give the push to Power BI; its URL holds a key, so it may be given as `secret:<name>`."""
    url = parameters.power_bi_url
    if url.startswith(_FROM_SCOPE):
        url = read_secret(url.removeprefix(_FROM_SCOPE), scope=parameters.secret_scope)
    return pushing(PowerBi(url, RateLimit(time.monotonic, clock.sleep), post_json), sql) if url else no_push


if __name__ == "__main__":
    follow_window()
