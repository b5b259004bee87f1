"""The folder of a platform, made ready."""

from emulators.entra.identities import HubRole, read_identities
from local.platform.preparing import prepare
from local.platform.state import State


def test_the_app_may_read_the_hubs_that_it_listens_to_and_the_jobs_keep_their_role(tmp_path):
    state = State(tmp_path / "up")

    identities = prepare(state, clear=False, listened=("gps", "promotions"))

    app, jobs = (identities.client_in_role(role) for role in ("Sender", "Receiver"))
    assert app.hub_roles == (HubRole("Receiver", "gps"), HubRole("Receiver", "promotions"))
    assert jobs.hub_roles == ()
    assert read_identities(state.identities).clients == identities.clients


def test_kept_identities_get_the_roles_of_this_start(tmp_path):
    state = State(tmp_path / "up")
    first = prepare(state, clear=False, listened=("points",))

    second = prepare(state, clear=False, listened=("gps",))

    app, before = (one.client_in_role("Sender") for one in (second, first))
    assert (app.client_id, app.secret) == (before.client_id, before.secret)
    assert app.hub_roles == (HubRole("Receiver", "gps"),)
    assert prepare(state, clear=False).client_in_role("Sender").hub_roles == ()
