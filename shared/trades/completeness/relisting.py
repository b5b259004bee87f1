"""Takes apart what slices saw of a market whose ids began anew, which a venue does when it lists the market again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shared.domain.windows.window import Window, microseconds
from shared.trades.completeness.reports import MarketReport
from shared.trades.completeness.seams import SliceObservation


def generations_of(observed: Sequence[SliceObservation], window: Window) -> list[list[SliceObservation]]:
    """Group what the slices saw by the row of ids that it belongs to, the oldest row first.

    A row that ends within the window is taken to reach to its end, and one that begins there from its start: nothing of
    it was traded outside.
    """
    groups: list[list[SliceObservation]] = [[]]
    newest: int | None = None
    for one in observed:
        *older, last = _chain(one.market)
        if older and _low(last) != newest:
            groups.append([])
            newest = _low(last)
        for market, group in zip([*older, last], groups[-len(older) - 1 :], strict=False):
            group.append(replace(one, market=market))
    return [_spread(group, number, len(groups), window) for number, group in enumerate(groups)]


def _chain(market: MarketReport) -> Iterator[MarketReport]:
    if market.earlier is not None:
        yield from _chain(market.earlier)
    yield market


def _low(market: MarketReport) -> int | None:
    return min((span[0] for span in (*market.before, *market.ours, *market.after)), default=None)


def _spread(group: list[SliceObservation], number: int, count: int, window: Window) -> list[SliceObservation]:
    if group and number > 0:
        group[0] = replace(group[0], start=min(group[0].start, microseconds(window.start)))
    if group and number < count - 1:
        group[-1] = replace(group[-1], end=max(group[-1].end, microseconds(window.end)))
    return group
