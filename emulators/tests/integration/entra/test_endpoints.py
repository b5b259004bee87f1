"""The local Entra's endpoints, asked as any HTTP client would."""

import uuid

import aiohttp
import jwt
import pytest

from emulators.tls import client_context


@pytest.fixture
async def http(entra):
    connector = aiohttp.TCPConnector(ssl=client_context(entra.ca))
    async with aiohttp.ClientSession(entra.authority, connector=connector) as session:
        yield session


def form(entra, **changes):
    return {
        "grant_type": "client_credentials",
        "client_id": entra.sender.client_id,
        "client_secret": entra.sender.secret,
        "scope": "https://eventhubs.azure.net//.default",
    } | changes


async def answer_to(http, entra, **changes):
    async with http.post(f"/{entra.identities.tenant}/oauth2/v2.0/token", data=form(entra, **changes)) as answer:
        return await answer.json()


@pytest.mark.parametrize("version", ["/v2.0", ""])
async def test_token_is_verified_by_what_the_metadata_names(http, entra, version):
    given = await answer_to(http, entra)
    async with http.get(f"/{entra.identities.tenant}{version}/.well-known/openid-configuration") as answer:
        metadata = await answer.json()
    async with http.get(metadata["jwks_uri"]) as answer:
        keys = jwt.PyJWKSet.from_dict(await answer.json())

    key = keys[jwt.get_unverified_header(given["access_token"])["kid"]]
    stated = jwt.decode(
        given["access_token"],
        key,
        algorithms=["RS256"],
        audience="https://eventhubs.azure.net/",
        issuer=metadata["issuer"],
    )
    assert stated["tid"] == entra.identities.tenant


async def test_answer_says_how_long_the_token_lasts(http, entra):
    given = await answer_to(http, entra)

    assert (given["token_type"], given["expires_in"], given["ext_expires_in"]) == ("Bearer", 3599, 3599)


async def test_client_that_logs_in_by_the_header_gets_a_token(http, entra):
    login = aiohttp.encode_basic_auth(entra.sender.client_id, entra.sender.secret)
    path = f"/{entra.identities.tenant}/oauth2/v2.0/token"
    asked = {"grant_type": "client_credentials", "scope": "https://local.servicebus.windows.net/.default"}

    async with http.post(path, data=asked, headers={"Authorization": login}) as answer:
        given = await answer.json()

    stated = jwt.decode(given["access_token"], options={"verify_signature": False})
    assert (stated["aud"], stated["appid"]) == ("https://local.servicebus.windows.net", entra.sender.client_id)


async def test_refusal_echoes_the_correlation_id_of_the_client(http, entra):
    correlation = str(uuid.uuid4())
    path = f"/{entra.identities.tenant}/oauth2/v2.0/token"

    async with http.post(
        path, data=form(entra, client_secret="guess"), headers={"client-request-id": correlation}
    ) as answer:
        assert answer.status == 401
        body = await answer.json()

    assert body["correlation_id"] == correlation
    assert body["error_codes"] == [7000215]


async def test_metadata_of_an_unknown_tenant_is_refused(http):
    async with http.get(f"/{uuid.uuid4()}/v2.0/.well-known/openid-configuration") as answer:
        assert answer.status == 400
        assert (await answer.json())["error_codes"] == [90002]


async def test_tokens_are_born_expired_where_the_lifetime_says_so(http, entra):
    async with http.put("/admin/token-lifetime", json={"seconds": -60}) as answer:
        assert answer.status == 200

    stated = jwt.decode((await answer_to(http, entra))["access_token"], options={"verify_signature": False})

    assert stated["exp"] == stated["iat"] - 60


@pytest.mark.parametrize("body", [b'{"seconds": "long"}', b"{}", b"[]", b"soon"])
async def test_lifetime_that_is_no_number_is_refused(http, body):
    async with http.put("/admin/token-lifetime", data=body) as answer:
        assert answer.status == 400
        assert "whole number" in await answer.text()


PUT_OFF = [
    ({"kind": "transient"}, 503, "temporarily_unavailable", 90033),
    ({"kind": "transient", "status": 400}, 400, "temporarily_unavailable", 90033),
    ({"kind": "throttled", "retry_after": "60"}, 429, "temporarily_unavailable", 90055),
    ({"kind": "loop"}, 400, "invalid_grant", 50196),
]


@pytest.mark.parametrize(("fault", "status", "error", "code"), PUT_OFF)
async def test_client_is_put_off_in_entras_words_as_often_as_told(http, entra, fault, status, error, code):
    await http.post("/admin/faults", json=fault | {"count": 2})

    path = f"/{entra.identities.tenant}/oauth2/v2.0/token"
    for _ in range(2):
        async with http.post(path, data=form(entra)) as answer:
            body = await answer.json()
            assert (answer.status, body["error"], body["error_codes"]) == (status, error, [code])
            assert body["error_description"].startswith(f"AADSTS{code}: ")
            assert answer.headers.get("Retry-After") == fault.get("retry_after")

    assert "access_token" in await answer_to(http, entra)


async def test_gateway_before_entra_answers_with_a_page(http, entra):
    await http.post("/admin/faults", json={"kind": "gateway", "status": 500, "at": "metadata"})

    async with http.get(f"/{entra.identities.tenant}/v2.0/.well-known/openid-configuration") as answer:
        assert (answer.status, answer.content_type) == (500, "text/html")


async def test_fault_of_one_endpoint_leaves_the_other_alone(http, entra):
    await http.post("/admin/faults", json={"kind": "transient", "at": "metadata"})

    assert "access_token" in await answer_to(http, entra)


@pytest.mark.parametrize(
    "fault", [{"kind": "tired"}, {"kind": "loop", "status": 200}, {"kind": "loop", "count": 0}, {}]
)
async def test_fault_of_another_form_is_refused(http, fault):
    async with http.post("/admin/faults", json=fault) as answer:
        assert answer.status == 400
        assert "error" in await answer.json()


async def test_faults_end_when_told(http, entra):
    await http.post("/admin/faults", json={"kind": "transient", "count": 9})

    async with http.delete("/admin/faults") as answer:
        assert await answer.json() == {"faults": []}

    assert "access_token" in await answer_to(http, entra)
