"""The configuration of a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

EVENT_HUBS_CAPTURE_FORMAT = (
    "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}"  # Azure's own default
)


class SourceRefused(ValueError):
    """The configuration of a source is invalid; the text names the field."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Where the events are, and who reads them.

    kind: `kafka`, `capture` or `eventhubs`. namespace: the fully qualified one, `name.servicebus.windows.net`.
    endpoint (for Kafka `host:port`), authority_host, ca_bundle (a PEM file): for one machine only, empty in Azure.
    service_credential: the name of Unity Catalog's service credential that logs in to Kafka in the place of tenant,
    client and secret (Databricks Runtime 16.1 and above). kafka: options of Spark's Kafka source that replace the login
    to Event Hubs, all of it.
    capture_root: the folder or storage URL under which Capture writes its files. capture_format: Capture's own file
    name format, without `.avro`. capture_settle: a file changed less than this ago may still be written, and waits.
    max_events_a_batch, max_files_a_batch: so much is committed at once at the most; more makes several batches.
    """

    kind: str
    namespace: str = ""
    endpoint: str = ""
    authority_host: str = ""
    ca_bundle: str = ""
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    service_credential: str = ""
    consumer_group: str = "$Default"
    capture_root: str = ""
    capture_format: str = EVENT_HUBS_CAPTURE_FORMAT
    capture_settle: timedelta = timedelta(seconds=60)
    max_events_a_batch: int = 1_000_000
    max_files_a_batch: int = 200
    kafka: Mapping[str, str] = field(default_factory=dict, repr=False)
    on_databricks: bool = False

    def need(self, *names: str) -> None:
        """Raise SourceRefused with the names of those fields that are empty."""
        empty = [name for name in names if not getattr(self, name)]
        if empty:
            raise SourceRefused(f"the source {self.kind!r} needs {', '.join(empty)}")

    def need_positive(self, *names: str) -> None:
        """Raise SourceRefused with the names of those limits that are not at least 1."""
        wrong = [f"{name} ({getattr(self, name)})" for name in names if getattr(self, name) < 1]
        if wrong:
            raise SourceRefused(f"the source {self.kind!r}: {', '.join(wrong)} must be at least 1")
