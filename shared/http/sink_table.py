"""How what a stream did at its hub and at Cosmos DB beside it is compared: a table with a row for each."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.domain.costs import Prices, cosmos_cost, hub_cost
from shared.domain.runs.run import real_end
from shared.domain.sinks import summed
from shared.domain.windows.ending import COUNTS
from shared.domain.windows.ledger_row import SliceRow, WindowRow

_ABSENT: Final = dict.fromkeys(
    ("units", "units_s", "throttled", "provisioned_units_s", "needed_units_s", "throughput_units", "billed_events")
)


def sink_table(row: WindowRow, tries: Iterable[SliceRow], prices: Prices) -> list[dict[str, Any]]:
    """Give a row for each sink of each stream that goes to Cosmos DB; while the window goes on, as far as it is.

    What was spilled is redriven later, and then counted in the spill alone.
    """
    own = [each for each in tries if each.window_attempt == row.attempt and each.state in {"running", "done"}]
    sinks = row.result["sinks"] if "sinks" in row.result else summed(each.sinks for each in own)
    seconds = _seconds(row, own)
    return [
        {"stream": stream, "sink": sink} | _sent(numbers) | _cost(sink, numbers, seconds, prices)
        for stream, by_sink in sinks.items()
        for sink, numbers in by_sink.items()
    ]


def _sent(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Show counts and pace; `pending` is what is still on its way."""
    accepted, milliseconds = numbers["accepted"], numbers["milliseconds"]
    settled = accepted + numbers["refused"] + numbers["unknown"] + numbers["spilled"]
    return {name: numbers[name] for name in COUNTS} | {
        "pending": numbers["read"] - settled,
        "records_s": round(accepted / milliseconds * 1000, 1) if milliseconds else None,
        "milliseconds_per_1000": round(milliseconds / accepted * 1000, 1) if accepted else None,
    }


def _cost(sink: str, numbers: Mapping[str, Any], seconds: float, prices: Prices) -> dict[str, Any]:
    if sink == "hub":
        return _ABSENT | hub_cost(numbers, seconds, prices)
    milliseconds = numbers["milliseconds"]
    charged = {
        "units": numbers["units"],
        "units_s": round(numbers["units"] / milliseconds * 1000, 1) if milliseconds else None,
        "throttled": numbers["throttled"],
    }
    return _ABSENT | charged | cosmos_cost(numbers, seconds, prices)


def _seconds(row: WindowRow, tries: Iterable[SliceRow]) -> float:
    """Give how long the window was; of one that goes on, until its slices wrote last."""
    end = real_end(row)
    until = end if row.ended else max((each.updated_at for each in tries), default=end)
    return max(1.0, (min(until, end) - row.window.start).total_seconds())
