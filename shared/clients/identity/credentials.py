"""Who the app is to Azure: one credential, one token cache, usable from any thread and any loop."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineResponse
from azure.identity import AzureAuthorityHosts, ClientSecretCredential, ManagedIdentityCredential

from shared.clients.failures import causes_of, is_untrusted, retry_after_seconds, untrusted
from shared.clients.identity.answers import meaning_of
from shared.clients.retrying import TransientError
from shared.domain.failures import FailureKind
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

        Raises LoginRefused where the identity provider denies the identity access, TransientError where it does not
        answer or says that it can't now, and Unavailable where it is not trusted.
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
        credential = ManagedIdentityCredential(client_id=login.client_id, **_limits(of_managed_identity=True))
        return AzureIdentity(credential, login.client_id or "system-assigned")
    return AzureIdentity(_credential_of(login), login.client_id)


class TokenRefused(Exception):
    """What a token endpoint refused instead of a token; raised before MSAL sees the answer.

    MSAL would keep a 400 for a minute and a 429 or 5xx for as long as Retry-After says, in memory, and answer with them
    without asking (msal 1.39, throttled_http_client.py); and azure-identity keeps neither status nor headers.
    """

    def __init__(self, kind: FailureKind, words: str, retry_after: float) -> None:
        super().__init__(words)
        self.kind = kind
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class _Failed:
    """The last failure of a scope. at: when it came. until: nobody may ask before this."""

    text: str
    throttled: bool
    at: float
    until: float

    def again(self, now: float) -> TransientError:
        """Make the failure for somebody else."""
        return TransientError(self.text, throttled=self.throttled, retry_after=max(0.0, self.until - now))


class AzureIdentity:
    """A credential of azure-identity, whose token cache threads share."""

    def __init__(
        self, credential: TokenCredential, client_id: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep the credential."""
        self._credential = credential
        self._client_id = client_id
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._failed: dict[str, _Failed] = {}

    @property
    def client_id(self) -> str:
        """Name the identity, for messages."""
        return self._client_id

    def token(self, scope: str) -> Token:
        """Give a cached token or a new one; threads that want one at once cause one request, whatever comes of it."""
        wanted_at = self._clock()
        with self._one_at_a_time:
            self._raise_known(scope, wanted_at)
            answer = _ask(self._credential, scope)
            if isinstance(answer, AccessToken):
                self._failed.pop(scope, None)
                return Token(answer.token, answer.expires_on)
            failure = self._failure(answer, scope)
            if isinstance(failure, TransientError):
                self._note(scope, failure)
        # Raised outside the handler: the error's request holds the secret, so it may not hang on to ours.
        raise failure

    def _raise_known(self, scope: str, wanted_at: float) -> None:
        """Raise the failure that another thread met while this one waited, or after which nobody may ask yet."""
        known, now = self._failed.get(scope), self._clock()
        if known is not None and (known.at > wanted_at or now < known.until):
            raise known.again(now)

    def _note(self, scope: str, failure: TransientError) -> None:
        throttled, now = failure.kind is FailureKind.THROTTLED, self._clock()
        self._failed[scope] = _Failed(str(failure), throttled, now, now + failure.retry_after)

    def _failure(self, error: Exception, scope: str) -> LoginRefused | Unavailable:
        causes = list(causes_of(error))
        refused = next((cause for cause in causes if isinstance(cause, TokenRefused)), None)
        not_given = f"no token for client id {self._client_id} to {scope}:"
        if refused is not None and refused.kind.may_pass:
            throttled = refused.kind is FailureKind.THROTTLED
            return TransientError(f"{not_given} {refused}", throttled=throttled, retry_after=refused.retry_after)
        if refused is None and any(is_untrusted(cause) for cause in causes):
            return untrusted(f"{not_given} the login service")
        if refused is None and any(isinstance(cause, _UNANSWERED) for cause in causes):
            return TransientError(f"{not_given} the login service can't be reached or does not answer as it should.")
        return LoginRefused(f"client id {self._client_id} got no token for {scope}: {refused or _describe(error)}")


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
        **_limits(of_managed_identity=False),
        **verify,
    )


def _limits(*, of_managed_identity: bool) -> dict[str, Any]:
    return {
        # A thread that waits for a token can't be cancelled, and the end of a loop waits for it: so it waits shortly.
        "connection_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "retry_total": 0,
        "raw_response_hook": partial(_heed, of_managed_identity=of_managed_identity),
    }


def _heed(response: PipelineResponse[Any, Any], *, of_managed_identity: bool) -> None:
    """Raise TokenRefused for what is no success; called with every answer that comes in."""
    answer = response.http_response
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        kind, words, _ = meaning_of(answer.status_code, answer.read(), of_managed_identity=of_managed_identity)
        raise TokenRefused(kind, words, retry_after_seconds(answer.headers))


def _ask(credential: TokenCredential, scope: str) -> AccessToken | Exception:
    try:
        return credential.get_token(scope)
    except (AzureError, TokenRefused, json.JSONDecodeError) as error:
        return error


def _describe(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON]


# Connections that failed, and answers of 200 that are no JSON: cut short, or of something that stands in between.
_UNANSWERED: Final = (ServiceRequestError, ServiceResponseError, json.JSONDecodeError)
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
