"""A hub, and how far it is: values that need no client of Azure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Hub:
    """One hub and who reads it. `endpoint`, `authority_host` and `ca_bundle` (a PEM file) are empty in Azure."""

    name: str
    namespace: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    consumer_group: str = "$Default"
    endpoint: str = ""
    authority_host: str = ""
    ca_bundle: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What a hub holds: its epoch, and by partition the first sequence number kept and the last one given.

    A partition without events has its first one after its last; before the first event ever the last is -1.
    """

    epoch: str
    first: Mapping[str, int]
    last: Mapping[str, int]

    def to_text(self) -> str:
        """Write it as the option of a data source."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> "Head":
        """Read what `to_text` wrote."""
        return cls(**json.loads(text))
