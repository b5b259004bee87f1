import base64
import hashlib
import hmac
import math
from urllib.parse import quote_plus, urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.entra.checking import TokenRefused
from emulators.entra.identities import Client, HubRole, Identities, SharedAccessKey
from emulators.event_hubs.tokens import JWT_TYPE, SAS_TYPE, Grant, TokenChecker

NOW = 1_800_000_000
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ISSUER = "https://localhost:1/tenant/v2.0"
IDENTITIES = Identities(
    "tenant",
    (
        Client("sending", "-", "Sender"),
        Client("reading", "-", "Receiver"),
        Client("both", "-", "Sender", (HubRole("Receiver", "Orders"), HubRole("Sender", "orders"))),
    ),
    (SharedAccessKey("root", "secret-key", ("Send", "Listen")),),
)
RESOURCE = "sb://localhost:5671/trades"


class OneKey:
    async def issuer(self):
        return ISSUER

    async def key(self, key_id):
        if key_id != "k1":
            raise TokenRefused(f"no key {key_id}")
        return KEY.public_key()


def checker():
    return TokenChecker(IDENTITIES, OneKey(), lambda: NOW)


def token(key=KEY, headers=None, algorithm="RS256", **changed):
    claims = {"iss": ISSUER, "aud": "https://eventhubs.azure.net", "appid": "sending", "exp": NOW + 60, "nbf": NOW}
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers or {"kid": "k1"})


def shared_signature(key="secret-key", name="root", resource=RESOURCE, expires=NOW + 60):
    signed = f"{quote_plus(resource)}\n{expires}".encode()
    signature = base64.b64encode(hmac.new(key.encode(), signed, hashlib.sha256).digest()).decode()
    return "SharedAccessSignature " + urlencode({"sr": resource, "sig": signature, "se": expires, "skn": name})


@pytest.mark.parametrize("audience", ["https://eventhubs.azure.net", "https://eventhubs.azure.net/"])
async def test_a_token_of_the_issuer_grants_the_clients_role(audience):
    grant = await checker().check(JWT_TYPE, token(aud=audience), RESOURCE)

    assert grant == Grant("Client sending", ("Send",), NOW + 60)


async def test_a_client_may_do_on_a_single_hub_what_its_role_there_allows_and_nowhere_else():
    grant = await checker().check(JWT_TYPE, token(appid="both"), RESOURCE)

    assert grant.denies("Listen", "ORDERS") is None
    assert grant.denies("Send", "orders") is grant.denies("Send", "trades") is None
    assert "may not listen on hub 'trades': it needs the role Azure Event Hubs Data Receiver" in (
        grant.denies("Listen", "trades") or ""
    )


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"exp": NOW}, "sending expired at 1800000000"),
        ({"exp": None}, "exp"),
        ({"nbf": NOW + 3600}, "not valid before"),
        ({"iss": "https://elsewhere"}, "issuer"),
        ({"aud": "https://vault.azure.net"}, "[Aa]udience"),
        ({"appid": "nobody"}, "nobody"),
        ({"appid": None}, "None"),
        ({"key": OTHER_KEY}, "[Ss]ignature"),
        ({"headers": {"kid": "k9"}}, "k9"),
        ({"key": "x" * 40, "algorithm": "HS256"}, "alg"),
    ],
)
async def test_a_token_that_does_not_hold_is_refused_with_the_rule_and_never_shown(changed, named):
    text = token(**changed)

    with pytest.raises(TokenRefused, match=named) as refused:
        await checker().check(JWT_TYPE, text, RESOURCE)

    assert not any(part in str(refused.value) for part in text.split("."))


async def test_a_string_that_is_no_jwt_is_refused():
    with pytest.raises(TokenRefused, match="not valid"):
        await checker().check(JWT_TYPE, "rubbish", RESOURCE)


async def test_a_token_of_another_type_is_refused():
    with pytest.raises(TokenRefused, match="'saml'"):
        await checker().check("saml", "x", RESOURCE)


@pytest.mark.parametrize("resource", [RESOURCE, "sb://localhost:5671/", "sb://localhost:5671"])
async def test_a_shared_signature_of_the_hub_or_the_namespace_grants_its_claims(resource):
    grant = await checker().check(SAS_TYPE, shared_signature(resource=resource), RESOURCE)

    assert grant == Grant("Policy root", ("Send", "Listen"), NOW + 60)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (shared_signature(key="wrong"), "does not match"),
        (shared_signature(name="nobody"), "nobody"),
        (shared_signature(expires=NOW), "expired"),
        (shared_signature(resource="sb://localhost:5671/trade"), "not for"),
        (shared_signature(resource="sb://elsewhere/trades"), "not for"),
        (shared_signature().replace("sig=", "sig=%2A"), "does not match"),
        ("SharedAccessSignature sr=x", "malformed"),
        ("Bearer x", "malformed"),
    ],
)
async def test_a_shared_signature_that_does_not_hold_is_refused_with_the_rule(text, named):
    with pytest.raises(TokenRefused, match=named):
        await checker().check(SAS_TYPE, text, RESOURCE)


def test_the_key_of_a_policy_grants_its_claims_without_an_end():
    assert checker().check_key("root", "secret-key") == Grant("Policy root", ("Send", "Listen"), math.inf)


@pytest.mark.parametrize(("name", "key"), [("root", "wrong"), ("root", ""), ("nobody", "secret-key")])
def test_a_key_that_is_not_the_policys_is_refused_by_name_and_never_shown(name, key):
    with pytest.raises(TokenRefused, match=f"'{name}'") as refused:
        checker().check_key(name, key)

    assert "secret-key" not in str(refused.value)


def test_a_missing_role_is_named_with_client_and_hub():
    denial = Grant("Client reading", ("Listen",), 0).denies("Send", "trades")

    assert "Client reading" in denial
    assert "'trades'" in denial
    assert "Azure Event Hubs Data Sender" in denial
