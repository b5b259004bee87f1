"""The local platform's identities."""

import stat

import pytest

from emulators.entra.identities import (
    Client,
    HubRole,
    Identities,
    make_identities,
    read_identities,
    write_identities,
)


def test_identities_read_back_as_they_were_written(tmp_path):
    identities = make_identities()

    write_identities(identities, tmp_path / "identities.json")

    found = read_identities(tmp_path / "identities.json")
    assert found.tenant == identities.tenant
    assert found.clients == identities.clients
    assert found.sas[0].key == identities.sas[0].key


def test_roles_on_single_hubs_are_kept_and_a_file_without_them_is_read(tmp_path):
    path = tmp_path / "identities.json"
    client = Client("app", "secret", "Sender", (HubRole("Receiver", "gps"),))

    write_identities(Identities("tenant", (client, Client("jobs", "secret", "Receiver")), ()), path)

    assert read_identities(path).clients[0] == client
    assert path.read_text().count("hub_roles") == 1


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


def test_role_that_no_client_has_is_named():
    with pytest.raises(LookupError, match="'Sender'"):
        Identities("tenant", (), ()).client_in_role("Sender")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"tenant": "t", "clients": []}', "sas"),
        ('{"tenant": "t", "clients": [], "sas": [], "more": 1}', "more"),
        (
            '{"tenant": "t", "clients": [{"client_id": "c", "secret": "s", "event_hubs_role": "Owner"}], "sas": []}',
            "Owner",
        ),
        ("{", "identities.json"),
    ],
)
def test_file_that_does_not_describe_identities_is_refused_by_name_and_field(tmp_path, text, fault):
    path = tmp_path / "identities.json"
    path.write_text(text)

    with pytest.raises(ValueError, match=fault):
        read_identities(path)
