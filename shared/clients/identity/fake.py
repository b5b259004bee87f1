"""Stands in for an identity in tests."""

from dataclasses import dataclass, field

from shared.clients.identity.credentials import Token
from shared.clients.retrying import TransientError
from shared.errors import LoginRefused

_FAR_FUTURE = 4_102_444_800


@dataclass(slots=True)
class FakeIdentity:
    """Hands out one token; `scopes` are those it was asked for.

    refusal: the provider denies the identity access, and says this. outage: the provider does not answer, or says this
    instead. outages: for how many requests, None for all. throttled, retry_after: how it says so.
    """

    client_id: str = "fake-client"
    value: str = "fake-token"
    refusal: str | None = None
    outage: str | None = None
    outages: int | None = None
    throttled: bool = False
    retry_after: float = 0.0
    scopes: list[str] = field(default_factory=list)

    def token(self, scope: str) -> Token:
        self.scopes.append(scope)
        if self.outage is not None and len(self.scopes) <= (self.outages or len(self.scopes)):
            text = f"no token for client id {self.client_id} to {scope}: {self.outage}"
            raise TransientError(text, throttled=self.throttled, retry_after=self.retry_after)
        if self.refusal is not None:
            raise LoginRefused(f"client id {self.client_id} got no token for {scope}: {self.refusal}")
        return Token(self.value, _FAR_FUTURE)
