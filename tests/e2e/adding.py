"""An app to which a feed was added, and what arrives of that feed, read by each destination's own client."""

import asyncio
import io
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pathspec
import pyarrow.parquet as pq
from azure.storage.blob import BlobServiceClient

from local.clone import ROOT
from local.demo.hub_reader import read_hub
from tests.e2e.running_app import RunningApp, planned

KEYS = {
    "purchases": ("order_id",),
    "invoices": ("order_id",),
    "parcels": ("order_id", "parcel"),
    "refunds": ("order_id",),
}
_FEED = Path(__file__).with_name("kiosk_feed")
_ORDER = ("order_id", "customer", "total", "ordered_at")
_LINES_OF_THE_CATALOGUE = {
    "from shared.feeds import trades\n": "from shared.feeds import kiosk, trades\n",
    "    payments.FEED,\n": "    payments.FEED,\n    kiosk.FEED,\n",
}

type Rows = list[dict[str, Any]]


def app_with_kiosk(folder: Path) -> Path:
    """Copy what is published of the app, and add a feed as docs/add-a-feed.md says: contracts, a module, one line."""
    shutil.copytree(ROOT, folder, ignore=_left_out)
    shutil.copytree(_FEED, folder, dirs_exist_ok=True)
    catalogue = folder / "shared" / "feeds" / "catalogue.py"
    source = catalogue.read_text(encoding="utf-8")
    for before, after in _LINES_OF_THE_CATALOGUE.items():
        assert source.count(before) == 1
        source = source.replace(before, after)
    catalogue.write_text(source, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Kiosk:
    """What the destinations of the kiosk's streams hold."""

    app: RunningApp

    def arrived(self, window: dict[str, Any]) -> dict[str, Rows]:
        """Read all records of a window, by stream."""
        return {
            "purchases": self._purchases(window["id"]),
            "invoices": self._invoices(*planned(window)),
            "parcels": [
                json.loads(line, parse_float=Decimal)
                for file in self._files(window, "parcels")
                for line in file.splitlines()
            ],
            "refunds": [
                row for file in self._files(window, "refunds") for row in pq.read_table(io.BytesIO(file)).to_pylist()
            ],
        }

    def files(self, window: dict[str, Any], stream: str) -> dict[str, str]:
        """Give the attempt that wrote each file of a stream, by the file's path below the window's folder."""
        folder = _folder(window, stream)
        with self._account() as account, account.get_container_client("lake") as lake:
            found = list(lake.list_blobs(name_starts_with=folder, include=["metadata"]))
        return {blob.name.removeprefix(folder): blob.metadata["attempt"] for blob in found}

    def marker(self, window: dict[str, Any]) -> dict[str, Any] | None:
        """Read what marks the end of a window, where it is written."""
        with self._account() as account:
            blob = account.get_blob_client("reference", f"windows/{window['id']}/closed.json")
            return json.loads(blob.download_blob().readall()) if blob.exists() else None

    def invoices_of_all_windows(self) -> Rows:
        with closing(sqlite3.connect(self.app.running.state.sql)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM invoices")]

    def _purchases(self, window_id: str) -> Rows:
        running = self.app.running
        connection = running.event_hubs_settings("Receiver")
        records = asyncio.run(read_hub(connection, running.state.authority, "purchases", _ORDER))
        return [
            dict(zip(_ORDER, record.key, strict=True))
            for record in records
            if record.attempt.startswith(f"{window_id}/")
        ]

    def _invoices(self, start: datetime, end: datetime) -> Rows:
        rows = self.invoices_of_all_windows()
        return [row for row in rows if start <= datetime.fromisoformat(row["ordered_at"]).replace(tzinfo=UTC) < end]

    def _files(self, window: dict[str, Any], stream: str) -> list[bytes]:
        with self._account() as account, account.get_container_client("lake") as lake:
            return [lake.download_blob(_folder(window, stream) + name).readall() for name in self.files(window, stream)]

    def _account(self) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(self.app.running.addresses["storage"]["connection_string"])


def keys_of(rows: Rows, stream: str) -> set[tuple[Any, ...]]:
    return {tuple(row[column] for column in KEYS[stream]) for row in rows}


def _folder(window: dict[str, Any], stream: str) -> str:
    return f"landing/{stream}/window={window['id']}/"


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Name what .funcignore leaves out of a folder."""
    rules = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text(encoding="utf-8").splitlines())
    below = {name: (Path(folder) / name).relative_to(ROOT).as_posix() for name in names}
    return {name for name, path in below.items() if rules.match_file(path) or rules.match_file(f"{path}/")}
