"""What the end of a window says of its spill, and of the records of it that wait still."""

from collections.abc import Collection, Mapping, Sequence

from shared.domain.spill import SpillCounts, SpilledBatch, counts_by_stream, sink_of


def spill_of_window(
    batches: Collection[SpilledBatch], attempts: Mapping[str, int], continued: Mapping[str, Sequence[int]] | None = None
) -> dict[str, dict[str, int]]:
    """Count the spilled records of a window by stream and state, as closed.json does.

    attempts: the number of the try that completed each slice, by the slice's number as text or `close`: the states are
    of these tries. continued: by slice, earlier tries that these went on from; theirs count too. `waiting_of_all_tries`
    has what any other try spilled, too: it comes in the same way.
    """
    completing = counts_by_stream(batch for batch in batches if _counts(batch, attempts, continued or {}))
    return {
        stream: completing.get(stream, SpillCounts()).as_wire()
        | {"waiting_of_all_tries": found.by_state.get("waiting", 0)}
        for stream, found in counts_by_stream(batches).items()
    }


def with_purged(
    spill: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Count as redriven, too, what was when a window's spill was counted before: after a while that is deleted."""
    counted = {
        stream: {**SpillCounts().as_wire(), "waiting_of_all_tries": 0, **spill.get(stream, {})}
        | {"redriven": max(states.get(stream, {}).get("redriven", 0) for states in (spill, before))}
        for stream in sorted({*spill, *before})
    }
    return {stream: states for stream, states in counted.items() if stream in spill or any(states.values())}


def drained(spill: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """Take of a window's spill what hubs got if no record of any try waits for one, and the same of Cosmos DB."""
    waiting = {sink_of(stream) for stream, states in spill.items() if states["waiting_of_all_tries"]}
    return {stream: states for stream, states in spill.items() if sink_of(stream) not in waiting}


def _counts(batch: SpilledBatch, attempts: Mapping[str, int], continued: Mapping[str, Sequence[int]]) -> bool:
    part, _, attempt = batch.path.split("/")[2].partition(".")
    name = str(int(part)) if part.isdigit() else part
    return int(attempt) in (attempts.get(name), *continued.get(name, ()))
