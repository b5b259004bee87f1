"""The OpenID metadata document of the local Entra."""


def issuer_of(authority: str, tenant: str) -> str:
    """Name the issuer of version 1.0 tokens, as `https://sts.windows.net/<tenant>/` is in Azure."""
    return f"{authority}/{tenant}/"


def openid_configuration(authority: str, tenant: str) -> dict[str, object]:
    """Describe the endpoints of a tenant below `authority` (no slash at its end).

    Both addresses of the document name the issuer that our tokens really carry. (Azure's `v2.0` document names
    the issuer of version 2.0 tokens, which no Azure resource known here accepts.)
    """
    base = f"{authority}/{tenant}"
    return {
        "issuer": issuer_of(authority, tenant),
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
