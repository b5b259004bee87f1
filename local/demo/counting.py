"""Counting the streams of a window at both ends: what the source gave, and what lies in the hubs and the SQL tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.clone import CONTRACTS
from local.demo.hub_reader import hubs_of, key_columns, read_hub
from local.demo.outage import must_have_spilled, spilled
from local.demo.polling import trades_that_happened
from local.demo.sql_reader import read_table
from local.demo.verification import Record, Source, StreamCheck, check_stream
from local.platform.running import Running


@dataclass(slots=True)
class Destinations:
    """The hubs and the SQL tables of the demo, each read back once."""

    running: Running
    read: dict[str, list[Record]] = field(default_factory=dict)

    async def records(self, window: Mapping[str, Any], stream: Mapping[str, Any]) -> list[Record] | None:
        """Read what a window brought to where a stream goes, as the window's plan has it; None where it can't be read.

        The rows of a table say nothing of their window: all of them count.
        """
        if stream["destination"] == "sql":
            return await read_table(self.running.state.sql, stream["name"], key_columns(CONTRACTS, stream["contract"]))
        hubs = hubs_of(stream)
        found = [record for hub in hubs for record in await self._records_of(hub, stream["contract"])]
        return [record for record in found if record.attempt.startswith(f"{window['id']}/")] if hubs else None

    async def _records_of(self, hub: str, contract: str) -> list[Record]:
        if hub not in self.read:
            columns = key_columns(CONTRACTS, contract)
            connection = self.running.event_hubs_settings("Receiver")
            self.read[hub] = await read_hub(connection, self.running.state.authority, hub, columns)
        return self.read[hub]


async def check_window(destinations: Destinations, window: Mapping[str, Any], lost: str | None) -> list[StreamCheck]:
    """Check each stream of a window that goes to a hub or a table; the first stream is the primary one.

    lost: the id of the window whose hub was lost.
    """
    running, streams = destinations.running, window["plan"]["streams"]
    spill = await spilled(running.addresses["functions"]["http"], window["id"])
    checks = []
    for stream in streams:
        records = await destinations.records(window, stream)
        if records is None:
            continue
        primary = stream == streams[0]
        source = await _source(running, window) if primary else Source()
        check = check_stream(window, stream["name"], records, source, spill.get(stream["name"]))
        checks.append(must_have_spilled(check, lost) if primary else check)
    return checks


async def _source(running: Running, window: Mapping[str, Any]) -> Source:
    """Say what the source of a window's primary stream gave: the exchange knows its trades, a drawn feed its rate."""
    start, end = times(window)
    if markets := window["plan"]["sources"]:
        return await trades_that_happened(running.addresses["exchange"]["admin"], tuple(markets), start, end)
    return Source(int((end - start).total_seconds() * window["plan"]["rate"] + 1e-6))


def times(window: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Give when a window begins and ends."""
    return datetime.fromisoformat(window["start"]), datetime.fromisoformat(window["end"])
