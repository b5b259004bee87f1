"""The lookup from one nested document of 11 MB beside json.loads, pandas, Polars and DuckDB; one thread each."""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # read when Polars is imported

import io
import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.interleaved import Row, Side, compare
from shared.feeds.assets import AMOUNT, SCHEMA, prepare
from shared.feeds.lookup_files import parquet

NAME = "assets JSON to filtered, sorted Parquet"
FOLDER = Path(".local/benchmarks")
ASSETS = 16_000
USD = ("priceUsd", "marketCapUsd", "volumeUsd24Hr", "changePercent24Hr", "vwap24Hr")
NESTED = {"supply": "supply.circulating", "maxSupply": "supply.max"} | {name: f"quote.usd.{name}" for name in USD}
LAYOUT = {name: NESTED.get(name, name) for name in SCHEMA.names}
AMOUNTS = [name for name in LAYOUT if SCHEMA.field(name).type == AMOUNT]
BARS = {"json.loads + from_pylist": 5.0, "pandas json_normalize": 5.0, "Polars read_json": 1.7, "DuckDB read_json": 3.0}


def rows() -> list[Row]:
    pa.set_cpu_count(1)
    document = document_of(ASSETS)
    makers = {
        "json.loads + from_pylist": lambda: plain(document),
        "pandas json_normalize": lambda: pandas_way(document),
        "Polars read_json": lambda: polars_as_read(document),
        "Polars read_json, given the schema": lambda: polars_with_schema(document),
        "DuckDB read_json": duckdb_way(document),
    }
    agree(document, makers)
    peers = {name: side(document, make) for name, make in makers.items()}
    return compare(NAME, side(document, lambda: ours(document)), peers, BARS, rounds=5)


def document_of(assets: int) -> bytes:
    """Write a document of so many assets in CoinCap's manner (numbers as strings), its values nested by two levels."""
    numbers = random.Random(7)
    return json.dumps(
        {"data": [asset(numbers, number) for number in range(assets)], "timestamp": 1_795_341_600_000}
    ).encode()


def asset(numbers: random.Random, number: int) -> dict[str, object]:
    def amount() -> str:
        return f"{numbers.uniform(0.1, 1e9):.16f}"

    usd = {name: amount() for name in USD}
    return {
        "id": f"asset-{numbers.getrandbits(40):010x}-{number}",
        "rank": str(number + 1),
        "symbol": f"S{number % 15_000}",
        "name": f"Asset number {number}",
        "supply": {"circulating": amount(), "max": amount() if numbers.random() < 0.5 else None, "total": amount()},
        "quote": {"usd": usd, "convertible": True},
        "explorer": f"https://explorer.example/{number}",
        "tokens": {"1": [f"0x{numbers.getrandbits(160):040x}"]},
        "tags": ["asset", "synthetic"],
        "description": "An asset with a description of some length, as such services give it.",
    }


def ours(document: bytes) -> bytes:
    return parquet(prepare([document], LAYOUT).table)


def plain(document: bytes) -> bytes:
    """Do what one writes first: parse, flatten by recursion, filter, sort, from_pylist."""
    flat = [flattened(found) for found in json.loads(document)["data"]]
    best: dict[str, dict[str, object]] = {}
    for row in sorted((row for row in flat if row["supply.max"] is not None), key=lambda row: int(row["rank"])):
        best.setdefault(row["symbol"], row)
    kept = [typed(row) for row in sorted(best.values(), key=lambda row: row["id"])]
    return parquet(pa.Table.from_pylist(kept, SCHEMA))


def flattened(found: dict[str, object], above: str = "") -> dict[str, object]:
    flat = {}
    for name, value in found.items():
        if isinstance(value, dict):
            flat |= flattened(value, f"{above}{name}.")
        else:
            flat[above + name] = value
    return flat


def typed(row: dict[str, object]) -> dict[str, object]:
    found = {name: row[path] for name, path in LAYOUT.items()}
    amounts = {name: None if found[name] is None else Decimal(found[name]) for name in AMOUNTS}
    return found | amounts | {"rank": int(found["rank"])}


def pandas_way(document: bytes) -> bytes:
    frame = pd.json_normalize(json.loads(document)["data"])[list(LAYOUT.values())].set_axis(list(LAYOUT), axis=1)
    frame = frame[frame["maxSupply"].notna()].astype({"rank": "int32"})
    frame = frame.sort_values("rank").drop_duplicates("symbol").sort_values("id")
    return parquet(pa.Table.from_pandas(frame, preserve_index=False).cast(SCHEMA))


def polars_as_read(document: bytes) -> bytes:
    """Let Polars find out what the document holds, as one writes it first."""
    return polars_way(pl.read_json(io.BytesIO(document)))


def polars_with_schema(document: bytes) -> bytes:
    """Tell Polars which fields to read and that all are texts, so that it need not look at the others."""
    shape = dict.fromkeys(("id", "rank", "symbol", "name", "explorer"), pl.String) | {
        "supply": pl.Struct({"circulating": pl.String, "max": pl.String}),
        "quote": pl.Struct({"usd": pl.Struct(dict.fromkeys(USD, pl.String))}),
    }
    return polars_way(pl.read_json(io.BytesIO(document), schema={"data": pl.List(pl.Struct(shape))}))


def polars_way(read: pl.DataFrame) -> bytes:
    assets = read.select(pl.col("data").explode()).unnest("data")
    frame = assets.select(*(polars_column(*pair) for pair in LAYOUT.items())).filter(pl.col("maxSupply").is_not_null())
    best = frame.sort("rank").unique("symbol", keep="first", maintain_order=True)
    sink = io.BytesIO()
    best.sort("id").write_parquet(sink, compression="zstd")
    return sink.getvalue()


def polars_column(name: str, path: str) -> pl.Expr:
    top, *below = path.split(".")
    column = pl.col(top)
    for step in below:
        column = column.struct.field(step)
    kind = pl.Decimal(38, 18) if name in AMOUNTS else pl.Int32 if name == "rank" else pl.String
    return column.cast(kind).alias(name)


def duckdb_way(document: bytes) -> Callable[[], bytes]:
    """DuckDB reads from a file and writes to one; both lie in the page cache."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    source, target = FOLDER / "assets.json", FOLDER / "assets.parquet"
    source.write_bytes(document)
    connection = duckdb.connect(config={"threads": 1})
    statement = duckdb_statement(source, target)

    def make() -> bytes:
        connection.execute(statement)
        return target.read_bytes()

    return make


def duckdb_statement(source: Path, target: Path) -> str:
    kinds = {name: "DECIMAL(38,18)" if name in AMOUNTS else "INT" if name == "rank" else "VARCHAR" for name in LAYOUT}
    columns = ", ".join(f'CAST(a.{path} AS {kinds[name]}) AS "{name}"' for name, path in LAYOUT.items())
    usd = ", ".join(f'"{name}" VARCHAR' for name in USD)
    shape = (
        'STRUCT("id" VARCHAR, "rank" VARCHAR, "symbol" VARCHAR, "name" VARCHAR, "explorer" VARCHAR, '
        f'"supply" STRUCT("circulating" VARCHAR, "max" VARCHAR), "quote" STRUCT("usd" STRUCT({usd})))[]'
    )
    return f"""
        COPY (
            SELECT * FROM (
                SELECT {columns} FROM (
                    SELECT unnest(data) AS a
                    FROM read_json('{source}', columns={{'data': '{shape}'}}, maximum_object_size=33554432)
                ) WHERE a.supply.max IS NOT NULL
            ) QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY rank) = 1 ORDER BY id
        ) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"""


def agree(document: bytes, makers: dict[str, Callable[[], bytes]]) -> None:
    """Check that all sides write the same rows, value by value."""
    wanted = pq.read_table(io.BytesIO(ours(document))).to_pylist()
    for name, make in makers.items():
        if pq.read_table(io.BytesIO(make())).select(SCHEMA.names).cast(SCHEMA).to_pylist() != wanted:
            raise AssertionError(f"{name} and the app wrote different rows")
    print(f"{NAME} | {len(document) / 1e6:.1f} MB, {ASSETS:,} assets, {len(wanted):,} rows kept, equal on all sides")


def side(document: bytes, make: Callable[[], bytes]) -> Side:
    def run() -> tuple[int, int]:
        make()
        return ASSETS, len(document)

    return run


if __name__ == "__main__":
    for row in rows():
        print(f"{row.beside}: {row.ratio:.4g}x (bar {row.bar}), {row.note}, met: {row.met}")
