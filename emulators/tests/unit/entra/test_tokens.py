"""The tokens and their key set."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from emulators.entra.tokens import Grant, claims, key_set, make_signing_key, service_principal_id, signed

TENANT = "5b973f99-77df-4beb-b27d-aa0c70b8482c"
GRANT = Grant("https://localhost:1/t/", TENANT, "2d05b4ff-0000-4000-8000-0123456789ab", "https://eventhubs.azure.net/")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEY = make_signing_key()


def test_token_states_who_for_what_and_until_when():
    stated = claims(GRANT, NOW, timedelta(seconds=3599))

    assert stated["aud"] == "https://eventhubs.azure.net/"
    assert (stated["iss"], stated["tid"], stated["ver"]) == (GRANT.issuer, TENANT, "1.0")
    assert stated["appid"] == stated["azp"] == GRANT.client_id
    assert stated["iat"] == stated["nbf"] == int(NOW.timestamp())
    assert stated["exp"] == int(NOW.timestamp()) + 3599


def test_object_id_is_lasting_and_not_the_client_id():
    object_id = service_principal_id(TENANT, GRANT.client_id)

    assert object_id == service_principal_id(TENANT, GRANT.client_id.upper())
    assert object_id != GRANT.client_id


def test_published_key_verifies_the_token_that_names_it():
    token = signed(KEY, claims(GRANT, datetime.now(UTC), timedelta(minutes=5)))
    published = jwt.PyJWKSet.from_dict(key_set(KEY, GRANT.issuer))

    stated = jwt.decode(
        token, published[jwt.get_unverified_header(token)["kid"]], algorithms=["RS256"], audience=GRANT.audience
    )

    assert stated["appid"] == GRANT.client_id


def test_key_of_another_start_does_not_verify_the_token():
    token = signed(make_signing_key(), claims(GRANT, datetime.now(UTC), timedelta(minutes=5)))

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, KEY.private.public_key(), algorithms=["RS256"], audience=GRANT.audience)


def test_key_set_holds_no_private_part():
    assert set(key_set(KEY, GRANT.issuer)["keys"][0]) == {"kty", "use", "alg", "kid", "issuer", "n", "e"}
