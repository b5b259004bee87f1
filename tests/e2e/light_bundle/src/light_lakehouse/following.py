"""A run without Spark: it takes the real job's parameters, follows its window to `closed.json`, and ends as it is told.

`<lake_root>/<window id>.order` tells: `fail` ends it with an error, `give up` as one that waited for its window in
vain; `linger` lets it outlive its window until there is `<window id>.go`. A run without an order succeeds as soon as
its window is closed, and writes that each of its streams balances, which `count nothing` leaves out.
"""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from azure.storage.blob import BlobServiceClient, ContainerClient

_LOOK_EVERY = 0.2
_BUSY_SECONDS = 60
_VERDICT = "reconciliation"


def main() -> None:
    """Run the job's task."""
    given = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
    window, lake = given["window_id"], Path(given["lake_root"])
    order = _text(lake / f"{window}.order")
    if order == "fail":
        sys.exit(f"Window {window} spoils every run.")
    if order == "give up":
        sys.exit(f"gave up at {given['window_end']}: nobody marked the end of {window}.")
    with BlobServiceClient.from_connection_string(os.environ["LAKEHOUSE_SECRET_STORAGE_CONNECTION_STRING"]) as account:
        _follow(given, account.get_container_client("reference"))
    if order == "linger":
        _wait((lake / f"{window}.go").exists)
    if order != "count nothing":
        _say_balanced(given)


def _follow(given: dict[str, str], reference: ContainerClient) -> None:
    for path in json.loads(given["lookups"]).values():
        if not reference.get_blob_client(path).exists():
            sys.exit(f"The lookup {path} is not there.")
    if given["mode"] == "follow":
        marker = reference.get_blob_client(f"windows/{given['window_id']}/closed.json")
        _wait(marker.exists)


def _say_balanced(given: dict[str, str]) -> None:
    database = given["sql_url"].removeprefix("jdbc:sqlite:")
    now = datetime.now(UTC).isoformat()
    streams = [one["name"] for one in json.loads(given["streams"]) if "hub" in one]
    rows = [(given["window_id"], stream, _VERDICT, "balanced", 0, now) for stream in streams]
    with closing(sqlite3.connect(database, timeout=_BUSY_SECONDS)) as connection, connection:
        connection.executemany("INSERT OR REPLACE INTO window_counts VALUES (?, ?, ?, ?, ?, ?)", rows)


def _wait(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(_LOOK_EVERY)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""
