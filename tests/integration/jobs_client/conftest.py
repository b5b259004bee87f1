"""A Jobs service and the local Entra in processes of their own, as the app's client meets them."""

import sys
import time
from pathlib import Path

import pytest
import requests

from emulators.entra.identities import make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.clients.databricks_jobs.jobs import DatabricksJobs
from shared.clients.identity.credentials import ServicePrincipal, make_identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.runs.job_state import describe, has_ended

BUNDLE = Path(__file__).parents[3] / "emulators/tests/integration/databricks/bundle"
QUICK = RetryPolicy(Timeouts(total=6.0, attempt=3.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
HASTY = RetryPolicy(Timeouts(total=0.6, attempt=0.5, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))


def ended(jobs, run_id):
    """Ask, as a client has to, until the run is over."""
    deadline = time.monotonic() + 20
    while not has_ended(run := jobs.run(run_id)):
        assert time.monotonic() < deadline, describe(run)
        time.sleep(0.05)
    return run


class Workspace:
    """A running Jobs service: its client, and its admin port."""

    def __init__(self, client, identity, admin):
        self.jobs, self.identity, self._admin = client, identity, admin

    def order(self, kind, **fields):
        self.admin("POST", "/faults", {"kind": kind} | fields)

    def runs(self, **wanted):
        found = self.admin("GET", "/runs")["runs"]
        return [run for run in found if all(run[name] == value for name, value in wanted.items())]

    def faults(self):
        return self.admin("GET", "/faults")["faults"]

    def admin(self, method, path, body=None):
        answer = requests.request(method, self._admin + path, json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs_client")
    tls, identities = make_tls_files(folder), make_identities()
    write_identities(identities, folder / "identities.json")
    shown = ("--certificate", tls.server)
    with running_service("entra", "--port", 0, *shown, "--identities", folder / "identities.json") as entra:
        trust = ("--issuer", entra["issuer"], "--ca", tls.authority)
        named = ("--bundle", BUNDLE, "--state", folder / "state", "--python", sys.executable)
        ports = ("--port", 0, "--admin-port", 0)
        with running_service("databricks", *named, *ports, *shown, *trust, log=folder / "log") as addresses:
            yield addresses, entra, identities, tls


@pytest.fixture
def workspace(service):
    addresses, entra, identities, tls = service
    who = identities.client_in_role("Sender")
    login = ServicePrincipal(
        identities.tenant, who.client_id, who.secret, entra["authority"], ca_bundle=str(tls.authority)
    )
    identity = make_identity(login)
    client = DatabricksJobs(addresses["workspace"], identity, ca_bundle=str(tls.authority), retry=QUICK)
    running = Workspace(client, identity, addresses["admin"])
    running.hasty_jobs = DatabricksJobs(addresses["workspace"], identity, ca_bundle=str(tls.authority), retry=HASTY)
    yield running
    running.admin("DELETE", "/faults")
