"""The decision of the token endpoint: a form in, a granted resource or a refusal out."""

import base64
import hmac
import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

from emulators.entra import refusals
from emulators.entra.identities import Client, Identities
from emulators.entra.tokens import Grant

DATABRICKS_APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
RESOURCES = frozenset(
    {
        "https://eventhubs.azure.net",
        "https://storage.azure.com",
        "https://database.windows.net",
        "https://cosmos.azure.com",
        "https://eventgrid.azure.net",
        "https://monitor.azure.com",
        DATABRICKS_APPLICATION,
    }
)

_DEFAULT = "/.default"
_OPENID = frozenset({"openid", "profile", "offline_access"})
"""What MSAL for Java adds to the scope of every login, that of an application too; Entra pays no heed to it there."""

_NAMESPACE = re.compile(r"https://[a-z][a-z0-9-]*\.servicebus\.windows\.net")
"""One namespace of Event Hubs is a resource of its own beside all of them: Kafka's clients ask for it."""


def decide(form: Mapping[str, str], tenant: str, issuer: str, identities: Identities, authorization: str = "") -> Grant:
    """Grant what the form asks for; raise the `Refusal` that Entra would answer with.

    authorization: the header of that name: the client's id and secret may come there, in the place of the form.
    """
    check_tenant(tenant, identities)
    _check_grant_type(_required(form, "grant_type"))
    client = _authenticated({**form, **_by_basic(authorization, form)}, identities)
    audience = audience_of(_required(form, "scope"), identities.tenant)
    return Grant(issuer=issuer, tenant=identities.tenant, client_id=client.client_id, audience=audience)


def check_tenant(tenant: str, identities: Identities) -> None:
    """Refuse any tenant but our own."""
    if tenant.lower() != identities.tenant.lower():
        raise refusals.unknown_tenant(tenant)


def audience_of(scope: str, tenant: str) -> str:
    """Turn a scope into a token's audience: what stands before `/.default`, to the letter.

    So `https://eventhubs.azure.net//.default` keeps its slash and `https://eventhubs.azure.net/.default` has none.
    """
    wanted = " ".join(part for part in scope.split(" ") if part not in _OPENID)
    resource = wanted.removesuffix(_DEFAULT)
    if resource == wanted or " " in wanted:
        raise refusals.malformed_scope(scope)
    named = resource.removesuffix("/").lower()
    if named not in RESOURCES and not _NAMESPACE.fullmatch(named):
        raise refusals.unknown_resource(resource, tenant)
    return resource


def _check_grant_type(grant_type: str) -> None:
    if grant_type != "client_credentials":
        raise refusals.unsupported_grant_type(grant_type)


def _by_basic(authorization: str, form: Mapping[str, str]) -> dict[str, str]:
    """Read `client_secret_basic`; empty where the client does not use it. A form may repeat the id, not the secret."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError as error:
        raise refusals.malformed_authorization() from error
    found = {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
    if not colon or form.get("client_id", found["client_id"]).lower() != found["client_id"].lower():
        raise refusals.malformed_authorization()
    if "client_secret" in form or "client_assertion" in form:
        raise refusals.two_credentials()
    return found


def _authenticated(form: Mapping[str, str], identities: Identities) -> Client:
    client_id = _required(form, "client_id")
    client = identities.client(client_id)
    if client is None:
        raise refusals.unknown_client(client_id, identities.tenant)
    if "client_secret" not in form:
        raise refusals.no_credential()
    if not hmac.compare_digest(form["client_secret"].encode(), client.secret.encode()):
        raise refusals.wrong_secret(client_id)
    return client


def _required(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise refusals.missing_parameter(name)
    return form[name]
