"""The decision of the token endpoint: a form in, a granted resource or a refusal out."""

import hmac
from collections.abc import Mapping

from emulators.entra import refusals
from emulators.entra.identities import Client, Identities
from emulators.entra.tokens import Grant

DATABRICKS_APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
RESOURCES = frozenset(
    {
        "https://eventhubs.azure.net",
        "https://storage.azure.com",
        "https://database.windows.net",
        "https://eventgrid.azure.net",
        DATABRICKS_APPLICATION,
    }
)

_DEFAULT = "/.default"


def decide(form: Mapping[str, str], tenant: str, issuer: str, identities: Identities) -> Grant:
    """Grant what the form asks for; raise the `Refusal` that Entra would answer with."""
    check_tenant(tenant, identities)
    _check_grant_type(_required(form, "grant_type"))
    client = _authenticated(form, identities)
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
    resource = scope.removesuffix(_DEFAULT)
    if resource == scope or " " in scope:
        raise refusals.malformed_scope(scope)
    if resource.removesuffix("/").lower() not in RESOURCES:
        raise refusals.unknown_resource(resource, tenant)
    return resource


def _check_grant_type(grant_type: str) -> None:
    if grant_type != "client_credentials":
        raise refusals.unsupported_grant_type(grant_type)


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
