"""The local platform's identities."""

import stat

import pytest

from emulators.entra.identities import Identities, make_identities, read_identities, write_identities


def test_identities_read_back_as_they_were_written(tmp_path):
    identities = make_identities()

    write_identities(identities, tmp_path / "identities.json")

    found = read_identities(tmp_path / "identities.json")
    assert found.tenant == identities.tenant
    assert found.clients == identities.clients
    assert found.sas[0].key == identities.sas[0].key


def test_only_this_user_can_read_the_file_even_where_one_was_there(tmp_path):
    path = tmp_path / "identities.json"
    path.write_text("{}")

    write_identities(make_identities(), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_making_draws_other_secrets():
    secrets = [client.secret for _ in range(2) for client in make_identities().clients]

    assert len(set(secrets)) == 4


def test_no_secret_shows_in_what_is_printed_of_identities():
    identities = make_identities()

    assert not any(client.secret in repr(identities) for client in identities.clients)
    assert identities.sas[0].key not in repr(identities)


def test_role_that_nobody_has_is_named():
    with pytest.raises(LookupError, match="'Sender'"):
        Identities("tenant", (), ()).client_in_role("Sender")
