"""Both ways from a hub to SQL in one Spark session, after its start-up; prints one line of JSON.

The seed's way reads a hub by the same source, on a tenth of the rows. Its appends are single INSERTs from the driver:
Spark's own append of one row would take a job each.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from hub_stage import ROOT, platform
from job_house import DictReference, lookup
from lakehouse.building import Outside, assemble
from lakehouse.gold import trades_enriched
from lakehouse.lake.tables import Lake
from lakehouse.request import RunRequest, Stream
from lakehouse.session import spark_session
from lakehouse.sinks.jdbc import database, transaction
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.power_bi import PowerBi, RateLimit, post_json
from lakehouse.sinks.push import PushingSink
from lakehouse.sinks.sql import SqlSink
from lakehouse.sources.port import source_from
from lakehouse.streams.checking import spark_schema
from lakehouse.streams.contract import load_contract
from pyspark.sql import functions as F

ROWS = 200_000
INSERT = (
    """INSERT INTO "Trades" ("venue", "market", "trade_id", "price", "volume", "window_id") VALUES (?, ?, ?, ?, ?, ?)"""
)
START = datetime.now(UTC).replace(microsecond=0)
WINDOW = f"trades-{START:%Y%m%dT%H%M%SZ}"
LOOKUP = f"assets/{WINDOW}.parquet"
SERVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *words): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hub-to-sql-"))
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/push"
        with platform(folder, "trades:2,tenth:2,warm:2") as hubs:
            print(json.dumps(_measure(folder, hubs, url)))
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def _measure(folder, hubs, url):
    for name, size in (("warm", 100), ("tenth", ROWS // 10), ("trades", ROWS)):
        _fill(hubs, name, size)
    spark = spark_session("bench", lake_root=str(folder / "lake"), jars=sorted((ROOT / ".cache/jars").glob("*.jar")))
    spark.sparkContext.setLogLevel("OFF")
    source, posts = source_from(hubs.config()), [0]
    _chain(folder / "warm", spark, source, "warm", _counted(url, posts)).run_pass()
    for table in ("bronze.trades", "silver.trades", "gold.trades_enriched"):
        spark.sql(f"DROP TABLE {table}")
    _seed(folder / "seed-warm", spark, source, "warm", _Rowwise(spark, url))
    seed = _seed(folder / "seed", spark, source, "tenth", _Rowwise(spark, url))
    kept_open = _seed(folder / "kept-open", spark, source, "tenth", _KeptOpen(spark, url))
    posts[0] = 0
    ours = _ours(folder / "ours", spark, source, _counted(url, posts))
    spark.stop()
    return {"ours": {**ours, "posts": posts[0]}, "seed": seed, "kept open": kept_open}


def _fill(hubs, name, size):
    for partition in range(2):
        bodies = [json.dumps(_trade(number)).encode() for number in range(partition, size, 2)]
        hubs.send_many(name, str(partition), bodies, {"contract": "trades/1", "slice": f"{WINDOW}/0.1"})


def _trade(number):
    at = (START + timedelta(microseconds=number * 300)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "venue": "binance",
        "symbol": "BTCUSDT",
        "base": "BTC" if number % 3 else "ETH",
        "quote": "USDT",
        "trade_id": number,
        "price": (6_500_000 + number % 1000) / 100,
        "volume": (10 + number % 100) / 10_000,
        "direction": "buy" if number % 2 else "sell",
        "direction_basis": "buyer_is_maker",
        "timestamp": at,
        "received_at": at,
        "origin": "live",
    }


def _counted(url, posts):
    def post(to, body):
        posts[0] += 1
        return post_json(to, body)

    return PowerBi(url, RateLimit(time.monotonic, time.sleep), post)


def _chain(folder, spark, source, hub, power_bi):
    folder.mkdir(exist_ok=True)
    reference = DictReference()
    reference.documents[LOOKUP] = lookup(["BTC", "ETH"])
    stream, lookups, end = Stream("trades", hub, "trades/1"), {"assets": LOOKUP}, START + timedelta(minutes=1)
    request = RunRequest("trades", WINDOW, START, end, (stream,), lookups, grace=timedelta(0), drain_limit=timedelta(0))
    target = database(f"jdbc:sqlite:{folder}/sql.db")
    sql = SqlSink(spark, target, length_of, now=lambda: datetime.now(UTC), sleep=time.sleep)
    publisher = PushingSink(sql, power_bi) if power_bi else sql
    chain = assemble(
        Lake(spark), request, Outside(source, str(folder / "checkpoints"), reference, reference, sql, publisher)
    )
    chain.prepare()
    return chain


def _ours(folder, spark, source, power_bi):
    chain = _chain(folder, spark, source, "trades", power_bi)
    start = time.perf_counter()
    chain.run_pass()
    seconds = time.perf_counter() - start
    written = chain.sql.count(trades_enriched.TABLE, WINDOW)
    assert written == ROWS, written
    return {"rows": written, "seconds": seconds}


def _seed(folder, spark, source, hub, deliver):
    _chain(folder, spark, source, hub, None)
    shape, done = spark_schema(load_contract("trades/1")), [0]
    events = source.open(Stream(hub, hub, f"{hub}/1")).events(spark)
    events = events.select(F.from_json(F.col("body").cast("string"), shape).alias("r")).select("r.*")
    assets = F.broadcast(spark.createDataFrame([("BTC", 1), ("ETH", 2)], "symbol string, rank int"))
    joined = events.dropDuplicates(["venue", "symbol", "trade_id"]).withColumnRenamed("symbol", "market")
    joined = joined.join(assets, F.col("base") == F.col("symbol"))
    target = database(f"jdbc:sqlite:{folder}/sql.db")

    def each(batch, _number):
        with deliver.opened(target) as row_by_row:
            for row in batch.collect():
                row_by_row(row)
                done[0] += 1

    start = time.perf_counter()
    query = joined.writeStream.foreachBatch(each).trigger(availableNow=True)
    query.option("checkpointLocation", str(folder / "seed-checkpoint")).start().awaitTermination()
    return {"rows": done[0], "seconds": time.perf_counter() - start, "posts": done[0]}


class _Rowwise:
    """A POST and an append for each row, each with a connection of its own, as `requests.post` and a JDBC append do."""

    def __init__(self, spark, url):
        self.spark, self.url = spark, url

    @contextlib.contextmanager
    def opened(self, target):
        def row_by_row(row):
            requests.post(self.url, json=_json(row), timeout=10)
            with transaction(self.spark, target) as sql:
                sql.execute(INSERT, *_cells(row))

        yield row_by_row


class _KeptOpen(_Rowwise):
    """The same with one HTTP session and one connection for all rows, each row committed by itself."""

    @contextlib.contextmanager
    def opened(self, target):
        with transaction(self.spark, target) as sql, requests.Session() as session:
            sql._connection.setAutoCommit(True)  # noqa: SLF001

            def row_by_row(row):
                session.post(self.url, json=_json(row), timeout=10)
                sql.execute(INSERT, *_cells(row))

            yield row_by_row
            sql._connection.setAutoCommit(False)  # noqa: SLF001


def _json(row):
    return [json.loads(json.dumps(row.asDict(), default=str))]


def _cells(row):
    return row.venue, row.market, row.trade_id, str(row.price), str(row.volume), WINDOW


if __name__ == "__main__":
    main()
