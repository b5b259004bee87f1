"""Who the app is to Azure: one credential, one token cache, usable from any thread and any loop."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import AzureAuthorityHosts, ClientSecretCredential, ManagedIdentityCredential

from shared.errors import LoginRefused, Unavailable


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the second (Unix time) at which it expires."""

    value: str = field(repr=False)
    expires_on: int


class Identity(Protocol):
    """Gives tokens for one identity."""

    @property
    def client_id(self) -> str:
        """Name the identity, for messages."""

    def token(self, scope: str) -> Token:
        """Give a token that is valid now; from any thread.

        Raises LoginRefused where the identity provider denies the identity access, and Unavailable where the
        provider does not answer.
        """


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """A client secret login. The authority is a URL, None for the public cloud's; the CA bundle a PEM file."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    authority_host: str | None = None
    ca_bundle: str | None = None


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity of the app itself: system-assigned where no client id is given."""

    client_id: str | None = None


def make_identity(login: ServicePrincipal | ManagedIdentity) -> Identity:
    """Make the identity of a login; asks for nothing before the first token is wanted."""
    if isinstance(login, ManagedIdentity):
        return AzureIdentity(ManagedIdentityCredential(client_id=login.client_id), login.client_id or "system-assigned")
    return AzureIdentity(_credential_of(login), login.client_id)


class AzureIdentity:
    """A credential of azure-identity, whose token cache threads share."""

    def __init__(self, credential: TokenCredential, client_id: str) -> None:
        """Keep the credential."""
        self._credential = credential
        self._client_id = client_id
        self._one_at_a_time = threading.Lock()

    @property
    def client_id(self) -> str:
        """Name the identity, for messages."""
        return self._client_id

    def token(self, scope: str) -> Token:
        """Give a cached token or a new one; threads that want one at once cause one request."""
        with self._one_at_a_time:
            answer = _ask(self._credential, scope)
        if isinstance(answer, AccessToken):
            return Token(answer.token, answer.expires_on)
        # Raised outside the handler: the error's request holds the secret, so it may not hang on to ours.
        if _was_not_asked(answer):
            raise Unavailable(f"no token for client id {self._client_id} to {scope}: {_describe(answer)}")
        raise LoginRefused(f"client id {self._client_id} got no token for {scope}: {_describe(answer)}")


class BlockingIdentity:
    """An identity as the blocking SDK clients want it; usable from any thread."""

    def __init__(self, identity: Identity) -> None:
        """Lend this identity."""
        self._identity = identity

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # noqa: ANN401 (the clients' own signature)
        """Give a token for the first scope."""
        token = self._identity.token(scopes[0])
        return AccessToken(token.value, token.expires_on)


class LoopIdentity:
    """An identity as the asynchronous Azure clients want it; asks in a thread, keeps nothing."""

    def __init__(self, identity: Identity) -> None:
        """Wrap the identity."""
        self._identity = identity

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # noqa: ANN401 (the clients' own signature)
        """Give a token for the first scope; raises as `Identity.token` does."""
        token = await asyncio.to_thread(self._identity.token, scopes[0])
        return AccessToken(token.value, token.expires_on)

    async def close(self) -> None:
        """Hold nothing, close nothing."""

    async def __aenter__(self) -> "LoopIdentity":
        """Enter."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""


def _credential_of(login: ServicePrincipal) -> ClientSecretCredential:
    authority = login.authority_host or f"https://{AzureAuthorityHosts.AZURE_PUBLIC_CLOUD}"
    verify = {} if login.ca_bundle is None else {"connection_verify": login.ca_bundle}
    return ClientSecretCredential(
        login.tenant_id,
        login.client_id,
        login.client_secret,
        authority=authority,
        disable_instance_discovery=urlsplit(authority).hostname not in _MICROSOFT,
        # A thread that waits for a token can't be cancelled, and the end of a loop waits for it: so it waits shortly.
        connection_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retry_total=0,
        **verify,
    )


def _ask(credential: TokenCredential, scope: str) -> AccessToken | AzureError:
    try:
        return credential.get_token(scope)
    except AzureError as error:
        return error


def _was_not_asked(error: AzureError) -> bool:
    """Say whether the provider did not answer; azure-identity wraps every failure in the same class."""
    return not isinstance(error, ClientAuthenticationError) or isinstance(error.__cause__, AzureError)


def _describe(error: AzureError) -> str:
    return " ".join(error.message.split())[:_LONGEST_REASON]


_MICROSOFT = frozenset(
    {
        AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
        AzureAuthorityHosts.AZURE_GOVERNMENT,
        AzureAuthorityHosts.AZURE_CHINA,
    }
)
_CONNECT_SECONDS = 5
_READ_SECONDS = 8
_LONGEST_REASON = 300
