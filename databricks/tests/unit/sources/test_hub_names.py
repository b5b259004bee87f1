"""Every source reads the hub that it is asked for, whatever the stream is called."""

from lakehouse.request import Stream
from lakehouse.sources.capture import CaptureSource
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.hub import Head
from lakehouse.sources.kafka import KafkaSource

LOGIN = {"namespace": "name.servicebus.windows.net", "tenant_id": "t", "client_id": "c", "client_secret": "s"}
RENAMED = Stream("trades", "market-deals", "trades/1", "2026-11-23T10:00:00Z")
EPOCH = "2026-11-23T10:00:00.000+00:00"


def test_kafka_subscribes_to_the_renamed_hub():
    topic = KafkaSource.of(SourceConfig("kafka", **LOGIN)).open(RENAMED)

    assert topic.options["subscribe"] == "market-deals"
    assert topic.epoch == EPOCH


def test_capture_lists_the_renamed_hubs_folders():
    captured = CaptureSource.of(SourceConfig("capture", capture_root="/captured")).open(RENAMED)

    assert captured.source.layout.glob(captured.hub) == "*/market-deals"
    assert captured.epoch == EPOCH


def test_the_client_asks_the_renamed_hub_which_itself_says_its_epoch():
    asked = []

    def answer(hub, known):
        asked.append(hub.name)
        return Head("2026-11-24T10:00:00.000+00:00", {}, {})

    opened = EventHubsSource(SourceConfig("eventhubs", **LOGIN), answer).open(RENAMED)

    assert (asked, opened.hub.name) == (["market-deals"], "market-deals")
    assert opened.epoch == "2026-11-24T10:00:00.000+00:00"
