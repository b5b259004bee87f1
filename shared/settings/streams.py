"""Where each stream goes and how, by its settings."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.windows.plan import StreamPlan
from shared.feeds.feed import Answers, EventHub, Stream


def stream_plan(stream: Stream, read: Mapping[str, Any]) -> StreamPlan:
    """Give a stream's part of its feed's plans; how many partitions its hubs have is asked when a window is claimed."""
    name = stream.name.upper()
    alone = read.get(f"{name}_COSMOS_ONLY", False)
    return StreamPlan(
        name=stream.name,
        hubs=() if alone else _hubs(stream, read),
        contract=stream.contract,
        packing=read[f"{name}_PACKING"],
        encoding=read[f"{name}_ENCODING"],
        partitions=0,
        destination="cosmos" if alone else stream.destination.kind,
        cosmos=read.get(f"{name}_COSMOS") or "",
    )


def answers_plans(answers: Iterable[Answers], read: Mapping[str, Any]) -> tuple[StreamPlan, ...]:
    """Give the parts of a feed's plans for what the app makes of its records, where the functions are enabled."""
    return tuple(
        StreamPlan(one.name, (read[f"{one.name.upper()}_HUB"],), one.contract, "row", "identity", 0)
        for one in answers
        if not read[f"AzureWebJobs.{one.function}.Disabled"]
    )


def _hubs(stream: Stream, read: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the hubs of a stream; none where it goes elsewhere."""
    name = stream.name.upper()
    return (read[f"{name}_HUBS"] or (read[f"{name}_HUB"],)) if isinstance(stream.destination, EventHub) else ()
