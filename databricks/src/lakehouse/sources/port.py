"""Which source a configuration means."""

from collections.abc import Callable, Mapping

from lakehouse.sources.capture import CaptureSource
from lakehouse.sources.configuration import SourceConfig, SourceRefused
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.kafka import KafkaSource
from lakehouse.sources.reading import Source


def source_from(config: SourceConfig) -> Source:
    """Return the source that a configuration means; raises SourceRefused for an unknown kind or an invalid field."""
    make = _SOURCES.get(config.kind)
    if make is None:
        raise SourceRefused(f"the source {config.kind!r} is unknown: it must be one of {', '.join(_SOURCES)}")
    return make(config)


_SOURCES: Mapping[str, Callable[[SourceConfig], Source]] = {
    "kafka": KafkaSource.of,
    "capture": CaptureSource.of,
    "eventhubs": EventHubsSource.of,
}
