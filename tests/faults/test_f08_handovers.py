"""F8: a day of windows, whose host dies around the points where one slice hands over to the next."""

from tests.faults.handovers import HANDOVERS, PART, Day

KILLS = 50


def test_what_arrives_is_what_was_traded_with_the_first_and_last_of_each_slice(sized, figures):
    days = [Day(("coinbase", "bitstamp")[seed % 2], seed, KILLS) for seed in range(sized(2, 20))]

    verdicts = [day.live() for day in days]

    edges = [at for cut in HANDOVERS for at in (cut - 1e-6, cut)]
    edge_ids = [{deal.trade_id for deal in day.deals if deal.done in set(edges)} for day in days]
    sent = [set(day.hub.ids) for day in days]
    closings = [closing for day in days for closing in day.closings]
    figures.at_least("hand-over points at which slices died, fewest of a day", min(map(met, days)), 50)
    figures.exactly("trades lost", sum(len(verdict.lost) for verdict in verdicts), 0)
    figures.exactly("trades of no window", sum(len(verdict.phantom) for verdict in verdicts), 0)
    figures.exactly("trades doubled after dedupe", sum(verdict.doubled for verdict in verdicts), 0)
    first_and_last = sum(len(ids & arrived) for ids, arrived in zip(edge_ids, sent, strict=True))
    figures.all_of("first and last trades of slices that arrived", first_and_last, sum(map(len, edge_ids)))
    figures.all_of("windows that closed", sum(one.state == "closed" for one in closings), len(closings))
    doubled, kills = sum(verdict.doubled_raw for verdict in verdicts), sum(len(day.kills) for day in days)
    figures.at_most("seconds of trades sent again by a kill", doubled / kills / 1.6, PART, "s")


def met(day):
    """Count the deaths that met a slice; each belongs to a hand-over point of its own."""
    return len(set(day.kills))
