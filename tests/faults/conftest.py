"""The frame of the fault tests: their sizes, their figures, and the table after a run."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from shared.clients.storage.tables import Tables
from tests.azurite import running_azurite
from tests.faults.figures import REPORT, Figure, Figures, as_table, as_times, row_of, with_figures
from tests.faults.storage import Store, running_store
from tests.integration.alert_sender.conftest import place
from tests.integration.jobs_client.conftest import service, workspace
from tests.integration.sending.stage import HUBS, Platform, running_platform

__all__ = ["place", "service", "workspace"]

BEGAN = pytest.StashKey[float]()
LONGEST = 1200
"""Seconds that one test of the long form may take."""


@pytest.fixture
def sized(request) -> Callable[[int, int], int]:
    """Choose a count: `sized(short, long)`."""
    is_long = request.config.getoption("--long")
    return lambda short, long: long if is_long else short


@pytest.fixture
def figures(request) -> Figures:
    """Take the figures of the row that the test's module measures."""
    # Properties of a test travel with its report, out of another process too.
    return Figures(row_of(request.module.__name__), lambda one: request.node.user_properties.append(("figure", one)))


@pytest.fixture(scope="session")
def storage(tmp_path_factory) -> Iterator[str]:
    """Run Azurite, and give the connection string of its account."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(scope="session")
def tables(storage) -> Iterator[Tables]:
    """Give the tables of Azurite's account."""
    with TableServiceClient.from_connection_string(storage, retry_total=0) as client:
        yield Tables(lambda: client)


@pytest.fixture(scope="session")
def hub_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("hub"), HUBS) as platform:
        yield platform


@pytest.fixture
def platform(hub_services: Platform) -> Iterator[Platform]:
    """Give a hub and an identity provider in processes of their own, free of faults before and after a test."""
    yield hub_services
    hub_services.calm()


@pytest.fixture(scope="session")
def storage_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with running_store(tmp_path_factory.mktemp("storage")) as store:
        yield store


@pytest.fixture
def store(storage_services: Store) -> Iterator[Store]:
    """Give a storage account, empty and free of trouble before and after a test."""
    yield storage_services
    storage_services.clear()


def pytest_configure(config):
    config.stash[BEGAN] = time.monotonic()


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        for item in items:
            item.add_marker(pytest.mark.timeout(LONGEST))


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    figures = list(_measured(terminalreporter))
    if not figures:
        return
    terminalreporter.section("figures of the fault tests")
    for line in as_table(figures):
        terminalreporter.write_line(line)
    terminalreporter.write_line(as_times(_spent(terminalreporter), time.monotonic() - config.stash[BEGAN]))
    if config.getoption("--long") and exitstatus == pytest.ExitCode.OK:
        REPORT.write_text(with_figures(REPORT.read_text(), figures))
        terminalreporter.write_line("These figures now stand in docs/reliability.md.")


def _measured(terminalreporter) -> Iterator[Figure]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if getattr(report, "when", "") == "call":
                yield from (Figure(**one) for name, one in report.user_properties if name == "figure")


def _spent(terminalreporter) -> Counter[str]:
    """Sum up the seconds of each row's tests, their fixtures included."""
    spent: Counter[str] = Counter()
    for report in (one for reports in terminalreporter.stats.values() for one in reports):
        module = Path(getattr(report, "nodeid", "").partition("::")[0])
        if hasattr(report, "duration") and module.stem.startswith("test_f") and module.stem[6:7].isdigit():
            spent[row_of(module.stem)] += report.duration
    return spent
