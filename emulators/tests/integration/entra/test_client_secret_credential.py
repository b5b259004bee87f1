"""The unmodified azure-identity client against the local Entra."""

import asyncio
import uuid
from contextlib import closing

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AioClientSecretCredential

from emulators.tls import make_tls_files

SCOPE = "https://eventhubs.azure.net//.default"


def options(entra, **changes):
    return {
        "tenant_id": entra.identities.tenant,
        "client_id": entra.sender.client_id,
        "client_secret": entra.sender.secret,
        "authority": entra.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(entra.ca),
        "retry_total": 0,
    } | changes


async def token(entra, scope=SCOPE, **changes):
    async with AioClientSecretCredential(**options(entra, **changes)) as credential:
        return await credential.get_token(scope)


async def token_by_sync_client(entra, scope=SCOPE, **changes):
    def ask():
        with closing(ClientSecretCredential(**options(entra, **changes))) as credential:
            return credential.get_token(scope)

    return await asyncio.to_thread(ask)


both_clients = pytest.mark.parametrize("ask", [token, token_by_sync_client])


@both_clients
async def test_right_secret_gets_a_token_for_the_event_hubs(entra, ask):
    given = await ask(entra)

    stated = jwt.decode(given.token, options={"verify_signature": False})
    assert stated["aud"] == "https://eventhubs.azure.net/"
    assert stated["appid"] == entra.sender.client_id


@both_clients
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_secret": "guess"}, "AADSTS7000215"),
        ({"client_id": "7d9a1c7e-0000-4000-8000-000000000000"}, "AADSTS700016"),
        ({"scope": "https://graph.example/.default"}, "AADSTS500011"),
    ],
)
async def test_wrong_login_is_refused_in_entras_words(entra, ask, changes, code):
    with pytest.raises(ClientAuthenticationError, match=code) as caught:
        await ask(entra, **changes)

    assert entra.sender.secret not in str(caught.value)


async def test_wrong_tenant_is_refused_in_entras_words(entra):
    with pytest.raises(ClientAuthenticationError, match="AADSTS90002"):
        await token(entra, tenant_id=str(uuid.uuid4()))


async def test_wrong_tenant_has_no_metadata_for_the_sync_client(entra):
    with pytest.raises(ClientAuthenticationError, match="authority"):
        await token_by_sync_client(entra, tenant_id=str(uuid.uuid4()))


@pytest.mark.parametrize(
    ("ask", "error"), [(token, ServiceRequestError), (token_by_sync_client, ClientAuthenticationError)]
)
async def test_server_of_another_authority_is_not_trusted(entra, ask, error, tmp_path):
    stranger = make_tls_files(tmp_path)

    with pytest.raises(error, match="certificate verify failed"):
        await ask(entra, connection_verify=str(stranger.authority))
