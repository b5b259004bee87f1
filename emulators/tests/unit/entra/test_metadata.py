"""The OpenID metadata."""

from emulators.entra.metadata import openid_configuration

TENANT = "5b973f99-77df-4beb-b27d-aa0c70b8482c"


def test_metadata_names_endpoints_below_the_authority():
    document = openid_configuration("https://localhost:20001", TENANT)

    base = f"https://localhost:20001/{TENANT}"
    assert document["issuer"] == f"{base}/"
    assert document["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    assert document["jwks_uri"] == f"{base}/discovery/v2.0/keys"
