"""The reference data that enrichment joins: each lookup is made once a window, and deleted by housekeeping."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from shared import telemetry
from shared.clients.coincap.assets import Assets
from shared.clients.storage.reference import Reference
from shared.errors import FeedRefused, IngestionError, JobRefused, LoginRefused, Unavailable
from shared.feeds.assets import parquet, prepare

logger = logging.getLogger(__name__)

LOOKUP_SECONDS = 20.0
ASSETS: Final = "assets"

type MakeLookup = Callable[[], bytes]
"""Makes a lookup as Parquet; raises Unavailable, FeedRefused or LoginRefused."""


@dataclass(frozen=True, slots=True)
class LookupTools:
    """Where lookups lie, and what makes each of them, by its name."""

    reference: Reference
    makers: Mapping[str, MakeLookup]


def lookup_makers(assets: Assets | None) -> dict[str, MakeLookup]:
    """Give what makes each lookup that a feed may name."""
    return {ASSETS: partial(_make_assets, assets)}


def folder_of(name: str) -> str:
    """Name the folder of a lookup in its container."""
    return f"{name}/"


def provide(tools: LookupTools, name: str, window_id: str) -> tuple[str, str]:
    """Write a window's lookup unless it is there; give its path, or the newest good one's and why it is that.

    Raises JobRefused where there is none at all, or nothing makes one of that name.
    """
    if name not in tools.makers:
        known = ", ".join(sorted(tools.makers))
        raise JobRefused(f"Nothing makes a lookup {name!r}; there are {known}.")
    path = f"{folder_of(name)}{window_id}.parquet"
    try:
        if tools.reference.read(path) is None:
            tools.reference.write(path, tools.makers[name]())
    except (Unavailable, FeedRefused, LoginRefused) as error:
        return _fallback(tools, name, error)
    return path, ""


def _fallback(tools: LookupTools, name: str, error: IngestionError) -> tuple[str, str]:
    path = tools.reference.newest(folder_of(name))
    if path is None:
        raise JobRefused(f"There is no lookup {name}, and none could be made: {error}") from error
    telemetry.warning(logger, "lookup.fallback", path=path, cause=error)
    return path, f"The {name} could not be read, {path} is used: {error}"


def _make_assets(assets: Assets | None) -> bytes:
    if assets is None:
        raise Unavailable("ASSETS__url is not set")
    lookup = prepare(assets.pages(LOOKUP_SECONDS))
    if lookup.unmatched:
        named = ", ".join(lookup.unmatched)
        telemetry.warning(logger, "lookup.unmatched", count=lookup.without_max_supply, symbols=named)
    if not len(lookup.table):
        raise Unavailable(f"of {lookup.read} assets none has a max supply")
    return parquet(lookup.table)
