import argparse

import pytest

from emulators.event_hubs.__main__ import parse_hubs


def test_hubs_are_names_with_partition_counts():
    assert parse_hubs("trades:4,transactions:10") == {"trades": 4, "transactions": 10}


@pytest.mark.parametrize("text", ["trades", "trades:0", "trades:many", ":4", "trades:4,", "trades:101"])
def test_a_malformed_hub_is_refused_by_name(text):
    with pytest.raises(argparse.ArgumentTypeError, match="NAME:PARTITIONS"):
        parse_hubs(text)
