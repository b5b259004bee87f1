"""The configuration of a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class SourceRefused(ValueError):
    """The configuration of a source is invalid; the text names the field."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Where the events are, and who reads them.

    kind: `kafka`, `capture` or `eventhubs`. namespace: the fully qualified one, `name.servicebus.windows.net`.
    endpoint, authority_host, ca_bundle (a PEM file): for one machine only, empty in Azure.
    capture_root: the folder or storage URL under which Capture writes `<namespace>/<hub>/<partition>/…`.
    kafka: options of Spark's Kafka source that replace the ones for Event Hubs, all of them.
    """

    kind: str
    namespace: str = ""
    endpoint: str = ""
    authority_host: str = ""
    ca_bundle: str = ""
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    consumer_group: str = "$Default"
    capture_root: str = ""
    kafka: Mapping[str, str] = field(default_factory=dict, repr=False)
    on_databricks: bool = False

    def need(self, *names: str) -> None:
        """Raise SourceRefused with the names of those fields that are empty."""
        empty = [name for name in names if not getattr(self, name)]
        if empty:
            raise SourceRefused(f"the source {self.kind!r} needs {', '.join(empty)}")
