"""How a storage account is reached."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

from shared.clients.identity.credentials import BlockingIdentity, Identity


class _Service(Protocol):
    def __init__(self, account_url: str, credential: Any, **options: Any) -> None: ...  # noqa: ANN401 - the SDK's own

    @classmethod
    def from_connection_string(cls, conn_str: str, **options: Any) -> Self: ...  # noqa: ANN401 - the SDK's own


@dataclass(frozen=True, slots=True)
class Account:
    """How one service of a storage account is reached: by connection string, or at `endpoint` by identity."""

    connection: str | None
    endpoint: str
    identity: Identity
    ca_bundle: str | None = None

    @property
    def who(self) -> str:
        """Name who asks, for messages."""
        return "the connection string" if self.connection else f"client id {self.identity.client_id}"

    def service[Service: _Service](self, kind: type[Service]) -> Service:
        """Make the client of the service; its tries are ours."""
        options = {"retry_total": 0} | ({"connection_verify": self.ca_bundle} if self.ca_bundle else {})
        if self.connection:
            return kind.from_connection_string(self.connection, **options)
        return kind(self.endpoint, credential=BlockingIdentity(self.identity), **options)
