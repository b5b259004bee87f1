import io

import pytest
from rich.console import Console

from local.demo.sinks import print_sinks

HUB = {"stream": "transactions", "sink": "hub", "accepted": 1_200, "units": None, "throughput_units": 1}
COSMOS = {"stream": "transactions", "sink": "cosmos", "accepted": 1_150, "units": 5_750.5, "throughput_units": None}
WINDOW = {"id": "payments-20261122T120000Z", "sinks": [HUB, COSMOS]}


def printed(window, **options):
    sink = io.StringIO()
    print_sinks(Console(file=sink, width=160, **options), window)
    return sink.getvalue()


@pytest.mark.parametrize("options", [{}, {"force_terminal": True}])
def test_both_sinks_are_printed_with_what_each_has(options):
    shown = printed(WINDOW, **options)

    for text in ("transactions, hub", "transactions, cosmos", "1,200", "1,150", "5,750.5", "payments-20261122T120000Z"):
        assert text in shown


def test_a_window_without_cosmos_prints_nothing():
    assert printed({"id": "trades-20261122T120000Z", "sinks": []}) == ""
