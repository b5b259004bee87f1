"""What measures and alerts in an app: the tables that the lakehouse would fill, the metrics API, and the outbox."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from local.clone import ROOT
from tests.e2e.running_app import RunningApp
from tests.e2e.waiting import eventually

_COUNTS = ROOT / "contracts/documents/window_counts.v1.schema.json"
_TRADES = """
    CREATE TABLE Trades (
        venue TEXT NOT NULL, market TEXT NOT NULL, trade_id INTEGER NOT NULL, window_id TEXT NOT NULL,
        PRIMARY KEY (venue, market, trade_id)
    )
"""
_ROW = "INSERT INTO Trades (venue, market, trade_id, window_id) VALUES ('kraken', 'BTC/USD', ?, ?)"


@dataclass
class Measuring:
    """The last part of an app: measurements by HTTP, and mails as a person would see them."""

    app: RunningApp

    def fill(self, window_id: str, rows: int) -> None:
        """Write that many trades of a window into SQL, with their count, as the lakehouse does."""
        with closing(self._database()) as connection, connection:
            (known,) = connection.execute("SELECT COUNT(*) FROM Trades").fetchone()
            connection.executemany(_ROW, ((known + number, window_id) for number in range(rows)))
            counted = (window_id, "trades", "sql", "Trades", rows, "")
            connection.execute("INSERT OR REPLACE INTO window_counts VALUES (?, ?, ?, ?, ?, ?)", counted)

    @contextmanager
    def busy(self, *, seconds: float) -> Iterator[None]:
        """Keep all other writers out of SQL for so long from now on."""
        with closing(self._database()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            release = threading.Timer(seconds, connection.rollback)
            release.start()
            yield
            release.join()

    def post(self, **fields: Any) -> requests.Response:
        """Call the endpoint as Data Factory does."""
        return self.app.call("POST", "/api/metrics", body={"ingestion_time": "2026-11-22T12:00:00Z", **fields})

    def measured(self, table: str, **wanted: Any) -> dict[str, Any]:
        """Wait for the newest measurement of a table that has these fields."""
        return eventually(lambda: self._newest(table, wanted), f"a measurement of {table} had {wanted}", within=150)

    def measurements(self, table: str) -> list[dict[str, Any]]:
        return self.app.call("GET", f"/api/metrics?table={table}").json()["measurements"]

    def mail_about(self, text: str) -> dict[str, str]:
        """Wait for a mail that has this text."""
        return eventually(lambda: next(iter(self.mails_about(text)), None), f"a mail was about {text}")

    def mails_about(self, text: str) -> list[dict[str, str]]:
        mails = self.app.admin("logic_app", "GET", "/outbox")["mails"]
        return [mail for mail in mails if text in mail["text"]]

    def signatures(self) -> list[str]:
        """Give the secret part of each Logic App's URL."""
        urls = self.app.running.addresses["logic_app"].values()
        return [signature for url in urls for signature in parse_qs(urlsplit(url).query).get("sig", [])]

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.app.running.state.sql, timeout=20, check_same_thread=False)

    def _newest(self, table: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
        found = self.measurements(table)
        return next((one for one in found if wanted.items() <= one.items()), None)


def make_tables(database: Path) -> None:
    """Make what light runs do not make: a table of trades with what is needed of it, and that of the counts."""
    counts = json.loads(_COUNTS.read_text(encoding="utf-8"))
    columns = ", ".join(f'"{name}"' for name in counts["properties"])
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(_TRADES)
        connection.execute("CREATE INDEX trades_of_window ON Trades (window_id)")
        connection.execute(f"CREATE TABLE window_counts ({columns}, PRIMARY KEY ({', '.join(counts['x-key'])}))")
