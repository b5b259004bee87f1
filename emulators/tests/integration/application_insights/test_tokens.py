"""Where the resource takes tokens of Entra alone: the exporter with a client's login, against the local Entra."""

from contextlib import contextmanager

import pytest
from azure.identity import ClientSecretCredential
from opentelemetry.sdk._logs.export import LogRecordExportResult

from emulators.entra.identities import make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import make_tls_files
from tests.integration.application_insights.conftest import Endpoint
from tests.integration.application_insights.telemetry import line, line_exporter

IDENTITIES = make_identities()


@pytest.fixture(scope="module")
def login(tmp_path_factory):
    """Run Entra; give its address and what an endpoint needs to trust it."""
    folder = tmp_path_factory.mktemp("entra")
    tls = make_tls_files(folder / "tls")
    write_identities(IDENTITIES, folder / "identities.json")
    arguments = ("--port", 0, "--certificate", tls.server, "--identities", folder / "identities.json")
    with running_service("entra", *arguments) as addresses:
        trust = ("--ca", tls.authority, "--identities", folder / "identities.json", "--issuer", addresses["issuer"])
        yield addresses["authority"], str(tls.authority), ("--certificate", tls.server, *trust)


@pytest.fixture
def strict(login, tmp_path):
    ports = ("--port", 0, "--admin-port", 0)
    with running_service("application_insights", *ports, "--state", tmp_path, *login[2]) as addresses:
        yield Endpoint(addresses)


@contextmanager
def logged_in(login, endpoint, role):
    authority, ca, _ = login
    client = IDENTITIES.client_in_role(role)
    with ClientSecretCredential(
        *(IDENTITIES.tenant, client.client_id, client.secret),
        authority=authority,
        disable_instance_discovery=True,
        connection_verify=ca,
    ) as credential:
        yield line_exporter(endpoint, credential=credential, connection_verify=ca)


@pytest.mark.parametrize(
    ("role", "result", "rows"),
    [("Sender", LogRecordExportResult.SUCCESS, ["a"]), ("Receiver", LogRecordExportResult.FAILURE, [])],
)
def test_a_client_may_send_by_its_role(login, strict, role, result, rows):
    with logged_in(login, strict, role) as exporter:
        assert exporter.export([line("a")]) is result
    assert [row["Message"] for row in strict.rows("AppTraces")] == rows


def test_the_instrumentation_key_alone_is_not_enough(login, strict):
    exporter = line_exporter(strict, connection_verify=login[1])

    assert exporter.export([line("a")]) is LogRecordExportResult.FAILURE
    assert (strict.rows("AppTraces"), strict.requests()) == ([], 0)
