"""A hub, and how far it is: values that need no client of Azure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    """How far a hub is: when it was created (ISO), and each partition's last sequence number, -1 before the first."""

    created: str
    last: Mapping[str, int]
