"""The service principal's login, which the clients of Azure share."""

from functools import cache
from urllib.parse import urlsplit

from azure.identity import AzureAuthorityHosts, ClientSecretCredential


@cache
def credential_of_login(
    tenant_id: str, client_id: str, client_secret: str, authority_host: str, ca_bundle: str
) -> ClientSecretCredential:
    """Keep one token cache for each login: Spark uses its Python workers again and again."""
    authority = authority_host or f"https://{AzureAuthorityHosts.AZURE_PUBLIC_CLOUD}"
    verify = {"connection_verify": ca_bundle} if ca_bundle else {}
    is_microsofts = urlsplit(authority).hostname in _MICROSOFT
    return ClientSecretCredential(
        tenant_id, client_id, client_secret, authority=authority, disable_instance_discovery=not is_microsofts, **verify
    )


_MICROSOFT = frozenset(
    {AzureAuthorityHosts.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_GOVERNMENT, AzureAuthorityHosts.AZURE_CHINA}
)
