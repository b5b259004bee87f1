import pytest

from cost.configuration import settings_of
from cost.flows import Flows

FLOWS = Flows(partitions=4, trades=10.0)


def flows(feed, *, packed=False, **written):
    settings = settings_of({"FEEDS": feed} | written)
    return {flow.name: flow for flow in FLOWS.of(settings.feeds[feed], packed=packed)}


@pytest.mark.parametrize(("feed", "stream", "rate"), [("gps", "gps", 20), ("call_centre", "ura", 0.16)])
def test_a_drawn_feed_sends_its_rate(feed, stream, rate):
    assert flows(feed)[stream].records == pytest.approx(rate)
    assert flows(feed, **{f"{feed.upper()}_RATE": str(2 * rate)})[stream].records == pytest.approx(2 * rate)


def test_a_row_is_an_event_of_its_own_and_a_pack_is_one_of_several_records():
    rows, packs = flows("gps")["gps"], flows("gps", packed=True)["gps"]

    assert rows.events == rows.records == packs.records
    assert packs.events < rows.events / 2
    assert packs.bytes < rows.bytes


def test_a_large_event_is_billed_as_several():
    minute = {f"GPS_{part}": "00:01:00" for part in ("WINDOW_EVERY", "WINDOW_LENGTH", "SLICE_LENGTH")}

    flow = flows("gps", GPS_RATE="4000", GPS_PACKING="pack", **minute)["gps"]

    assert flow.billed_events > flow.events


def test_rows_of_a_table_are_told_from_events():
    assert {flow.name: flow.destination for flow in flows("shop").values()} == {
        "pageviews": "hub",
        "stars": "hub",
        "items": "sql",
        "orders": "sql",
    }


def test_trades_come_as_often_as_is_assumed_and_are_handed_on_each_second():
    rows, packs = flows("trades")["trades"], flows("trades", packed=True)["trades"]

    assert (rows.records, rows.events) == (10, 10)
    assert packs.events == 2, "both markets share a second, and no partition"
