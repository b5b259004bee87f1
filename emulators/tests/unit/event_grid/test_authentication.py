import pytest

from emulators.entra.checking import TokenRefused
from emulators.entra.identities import make_identities
from emulators.event_grid.authentication import Authenticator, Unauthorized

IDENTITIES = make_identities()
KNOWN = IDENTITIES.clients[0].client_id


class Tokens:
    """Stands in for the checker of tokens: the token is the client id."""

    async def check(self, token):
        if token == "expired":
            raise TokenRefused("The token expired.")
        return {"appid": token}


@pytest.fixture
def authenticator():
    return Authenticator("the-key", IDENTITIES, Tokens())


@pytest.mark.parametrize("headers", [{"aeg-sas-key": "the-key"}, {"Authorization": f"Bearer {KNOWN}"}])
async def test_the_key_or_a_token_lets_a_publisher_in(authenticator, headers):
    await authenticator.check(headers)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "aeg-sas-key"),
        ({"aeg-sas-key": "another"}, "not a key"),
        ({"aeg-sas-key": "ünïcode"}, "not a key"),
        ({"Authorization": "Bearer expired"}, "expired"),
        ({"Authorization": "Bearer stranger"}, "unknown in this tenant"),
        ({"Authorization": "Basic x"}, "bearer token"),
    ],
)
async def test_everyone_else_is_refused_with_the_reason(authenticator, headers, reason):
    with pytest.raises(Unauthorized, match=reason) as refusal:
        await authenticator.check(headers)

    assert "the-key" not in str(refusal.value)
