"""What the lakehouse asks of a source of events, and which source a configuration means."""

from collections.abc import Callable, Mapping
from typing import Protocol

from pyspark.sql import DataFrame, SparkSession

from lakehouse.sources.capture import CaptureSource
from lakehouse.sources.configuration import SourceConfig, SourceRefused
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.kafka import KafkaSource


class Source(Protocol):
    """Gives the events of a hub."""

    def events(self, spark: SparkSession, hub: str) -> DataFrame:
        """Return the hub's events from the first one kept, as a streaming frame of bronze's schema."""
        ...


def source_from(config: SourceConfig) -> Source:
    """Return the source that a configuration means; raises SourceRefused for an unknown kind or an empty field."""
    make = _SOURCES.get(config.kind)
    if make is None:
        raise SourceRefused(f"the source {config.kind!r} is unknown: it must be one of {', '.join(_SOURCES)}")
    return make(config)


_SOURCES: Mapping[str, Callable[[SourceConfig], Source]] = {
    "kafka": KafkaSource.of,
    "capture": CaptureSource.of,
    "eventhubs": EventHubsSource.of,
}
