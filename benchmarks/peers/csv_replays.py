"""A recording of payments as JSON lines, by those who read CSV and write JSON: the same records as the app's."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

WHOLE = ("localHour", "digitalItemCount", "physicalItemCount", "accountAge", "numPaymentRejects1dPerUser")
DECIMAL = ("transactionAmountUSD", "transactionAmount", "paymentInstrumentAgeInAccount")
TRUTH = ("isProxyIP", "isUserRegistered")
TIME = "transactionDateTime"
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def plain(path: Path, out: Path) -> None:
    """Read with csv, write with json.dumps."""
    with path.open(newline="", encoding="utf-8") as lines, out.open("w", encoding="utf-8") as written:
        for record in csv.DictReader(lines):
            for name in WHOLE:
                record[name] = int(record[name])
            for name in DECIMAL:
                record[name] = float(record[name])
            for name in TRUTH:
                record[name] = record[name] == "True"
            record[TIME] = datetime.fromisoformat(record[TIME]).astimezone(UTC).strftime(_FORM)
            written.write(json.dumps(record) + "\n")


def pandas(path: Path, out: Path) -> None:
    """Read and write with pandas."""
    texts = pd.read_csv(path, nrows=0).columns.difference([*WHOLE, *DECIMAL, *TRUTH, TIME])
    frame = pd.read_csv(path, dtype=dict.fromkeys(texts, str), keep_default_na=False, parse_dates=[TIME])
    frame[TIME] = frame[TIME].dt.strftime(_FORM)
    frame.to_json(out, orient="records", lines=True)


def polars(path: Path, out: Path) -> None:
    """Scan with Polars, parse the time, write NDJSON."""
    texts = [name for name in pl.scan_csv(path).collect_schema() if name not in {*WHOLE, *DECIMAL, *TRUTH}]
    truths = [pl.col(name).str.to_lowercase() == "true" for name in TRUTH]
    scan = pl.scan_csv(path, schema_overrides=dict.fromkeys([*texts, *TRUTH], pl.String))
    time = pl.col(TIME).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    scan.with_columns(
        pl.col([name for name in texts if name != TIME]).fill_null(""), *truths, time
    ).collect().write_ndjson(out)


def duck(path: Path, out: Path, names: list[str]) -> None:
    """Read and write with DuckDB, the time parsed."""
    kinds = dict.fromkeys(WHOLE, "BIGINT") | dict.fromkeys(DECIMAL, "DOUBLE") | dict.fromkeys(TRUTH, "BOOLEAN")
    columns = {name: kinds.get(name, "TIMESTAMP" if name == TIME else "VARCHAR") for name in names}
    texts = [name for name in names if columns[name] == "VARCHAR"]
    texts_or_blank = ", ".join(f"coalesce({name}, '') AS {name}" for name in texts)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.execute(
            f"COPY (SELECT * REPLACE ({texts_or_blank}, strftime({TIME}, '%Y-%m-%dT%H:%M:%S.%fZ') AS {TIME}) "
            f"FROM read_csv('{path}', header = true, columns = {columns})) TO '{out}' (FORMAT json)"
        )
