"""Is this token good, and what may its bearer do: Entra's JWTs and shared access signatures."""

import base64
import hashlib
import hmac
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote_plus, urlsplit

from emulators.entra.checking import JwtChecker, SigningKeys, TokenRefused
from emulators.entra.identities import Claim, Client, Identities, Role, SharedAccessKey

JWT_TYPE = "jwt"
SAS_TYPE = "servicebus.windows.net:sastoken"
AUDIENCES = ("https://eventhubs.azure.net", "https://eventhubs.azure.net/")
_ROLE_CLAIMS: dict[Role, Claim] = {"Sender": "Send", "Receiver": "Listen"}
_NEEDED_ROLE = {"Send": "Azure Event Hubs Data Sender", "Listen": "Azure Event Hubs Data Receiver"}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: `who` for messages, claims on all hubs, the end in epoch seconds, claims on single hubs.

    The names of hubs in `of_hubs` are in lower case.
    """

    who: str
    claims: tuple[Claim, ...]
    expires_at: float
    of_hubs: Mapping[str, frozenset[Claim]] = field(default_factory=dict)

    def denies(self, claim: Claim, hub: str) -> str | None:
        """Return why this bearer may not do `claim` on `hub`, or None if it may."""
        if claim in self.claims or claim in self.of_hubs.get(hub.lower(), ()):
            return None
        return f"{self.who} may not {claim.lower()} on hub '{hub}': it needs the role {_NEEDED_ROLE[claim]} ({claim})."


class TokenChecker:
    """Checks put-token requests. `clock` gives epoch seconds."""

    def __init__(self, identities: Identities, keys: SigningKeys, clock: Callable[[], float]) -> None:
        self._clients: dict[str | None, Client] = {client.client_id: client for client in identities.clients}
        self._shared = {key.name: key for key in identities.sas}
        self._entra = JwtChecker(AUDIENCES, keys, clock)
        self._clock = clock

    async def check(self, token_type: str, token: str, resource: str) -> Grant:
        """Return what `token` allows on `resource` (`sb://host/hub/...`); raise `TokenRefused`."""
        if token_type == JWT_TYPE:
            return await self._check_jwt(token)
        if token_type == SAS_TYPE:
            return self._check_sas(token, resource)
        raise TokenRefused(f"The token type {token_type!r} is neither {JWT_TYPE} nor {SAS_TYPE}.")

    def check_key(self, name: str, key: str) -> Grant:
        """Return what a shared access policy allows whoever has its key; raise `TokenRefused`."""
        shared = self._policy(name)
        if not hmac.compare_digest(shared.key.encode(), key.encode()):
            raise TokenRefused(f"The key is not that of policy {name!r}.")
        return Grant(f"Policy {name}", shared.claims, math.inf)

    async def _check_jwt(self, token: str) -> Grant:
        claims = await self._entra.check(token)
        client_id = claims.get("appid")
        client = self._clients.get(client_id)
        if client is None:
            raise TokenRefused(f"The client id {client_id!r} of the token has no role on this namespace.")
        everywhere = (_ROLE_CLAIMS[client.event_hubs_role],)
        return Grant(f"Client {client_id}", everywhere, float(claims["exp"]), _claims_of_hubs(client))

    def _check_sas(self, token: str, resource: str) -> Grant:
        fields = _sas_fields(token)
        shared = self._policy(fields["skn"])
        if not _signature_holds(fields, shared.key):
            raise TokenRefused(f"The signature of policy {shared.name!r} does not match its key.")
        if int(fields["se"]) <= self._clock():
            raise TokenRefused(f"The token of policy {shared.name!r} expired at {fields['se']}; sign a new one.")
        if not _covers(fields["sr"], resource):
            raise TokenRefused(f"The token of policy {shared.name!r} is for {fields['sr']!r}, not for {resource!r}.")
        return Grant(f"Policy {shared.name}", shared.claims, float(fields["se"]))

    def _policy(self, name: str) -> SharedAccessKey:
        if name not in self._shared:
            raise TokenRefused(f"There is no shared access policy {name!r}.")
        return self._shared[name]


def _claims_of_hubs(client: Client) -> dict[str, frozenset[Claim]]:
    hubs = {one.hub.lower() for one in client.hub_roles}
    return {
        hub: frozenset(_ROLE_CLAIMS[one.role] for one in client.hub_roles if one.hub.lower() == hub) for hub in hubs
    }


def _sas_fields(token: str) -> dict[str, str]:
    scheme, _, rest = token.partition(" ")
    fields = {name: values[0] for name, values in parse_qs(rest).items()}
    missing = [name for name in ("sr", "sig", "se", "skn") if name not in fields]
    if scheme != "SharedAccessSignature" or missing or not fields["se"].isdigit():
        raise TokenRefused("The shared access signature is malformed: it needs sr, sig, se (epoch seconds) and skn.")
    return fields


def _signature_holds(fields: dict[str, str], key: str) -> bool:
    signed = f"{quote_plus(fields['sr'])}\n{fields['se']}".encode()
    try:
        given = base64.b64decode(fields["sig"], validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(key.encode(), signed, hashlib.sha256).digest(), given)


def _covers(signed: str, resource: str) -> bool:
    scope, wanted = urlsplit(signed), urlsplit(resource)
    path = scope.path.strip("/").lower()
    inside = wanted.path.strip("/").lower()
    same_host = (scope.hostname or "") == (wanted.hostname or "")
    return same_host and (not path or inside == path or inside.startswith(f"{path}/"))
