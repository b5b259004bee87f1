"""Who may import whom: the contracts of import-linter, and what it can't say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, imported_within, imports, is_below, is_in, modules, syntax, text

# Where the outside world is met. azure.core is the vocabulary that all Azure SDKs share (credentials, errors), so it is
# imported beside one of them, and nowhere else.
HOMES = {
    "azure.core": {
        "shared/clients/cosmos/gateway.py",
        "shared/clients/failures.py",
        "shared/clients/event_grid/topic.py",
        "shared/clients/identity/credentials.py",
        "shared/clients/storage/containers.py",
        "shared/clients/storage/leased_blobs.py",
        "shared/clients/storage/queues.py",
        "shared/clients/storage/recordings.py",
        "shared/clients/storage/drawn_files.py",
        "shared/clients/storage/reference.py",
        "shared/clients/storage/resources.py",
        "shared/clients/storage/tables.py",
    },
    "azure.cosmos": {"shared/clients/cosmos/gateway.py"},
    "azure.data.tables": {"shared/clients/storage/tables.py"},
    "azure.durable_functions": {"shared/clients/durable/orchestrations.py"},
    "azure.eventgrid": {"shared/clients/event_grid/topic.py"},
    "azure.eventhub": {"shared/clients/event_hubs/amqp.py"},
    "azure.identity": {"shared/clients/identity/credentials.py"},
    "azure.monitor": {"shared/clients/application_insights/exporting.py"},
    "azure.storage.blob": {
        "shared/clients/storage/containers.py",
        "shared/clients/storage/leased_blobs.py",
        "shared/clients/storage/recordings.py",
        "shared/clients/storage/drawn_files.py",
        "shared/clients/storage/reference.py",
    },
    "azure.storage.queue": {"shared/clients/storage/queues.py"},
    "aiohttp": {"shared/clients/cosmos/gateway.py", "shared/trades/connection/transport.py"},
    "croniter": {"shared/settings/rules.py"},
    "faker": {
        "shared/feeds/payments/entities.py",
        "shared/feeds/call_centre/building.py",
        "shared/feeds/shop/building.py",
    },
    "opentelemetry._logs": {"shared/clients/application_insights/lines.py"},
    "opentelemetry.context": {
        "shared/clients/application_insights/lines.py",
        "shared/signals/recording.py",
        "shared/signals/window_trace.py",
    },
    "opentelemetry.metrics": {"shared/signals/recording.py"},
    "opentelemetry.sdk": {"shared/clients/application_insights/exporting.py"},
    "opentelemetry.trace": {"shared/signals/recording.py", "shared/signals/window_trace.py"},
    "opentelemetry.util": {"shared/clients/application_insights/lines.py"},
    "requests": {"shared/clients/recordings/web.py", "shared/clients/rest.py"},  # files of gigabytes, and JSON
    "sqlalchemy": {
        "shared/clients/sql/changed_rows.py",
        "shared/clients/sql/database.py",
        "shared/clients/sql/metrics.py",
        "shared/clients/sql/rows.py",
        "shared/clients/sql/statements.py",
        "shared/clients/sql/tables.py",
        "shared/clients/sql/transaction.py",
    },
    "urllib3": {
        "shared/clients/recordings/web.py",
        "shared/clients/rest.py",
    },  # whose errors come through requests while an answer is read
}
STATUSES = {202, 400, 404, 409, 413, 415, 503}  # of our own answers
LIBRARIES = {"msgspec", "numpy", "pyarrow"}  # they compute and meet nobody


def strangers(names, *known):
    """Give the imports of some modules that are neither in the standard library nor in the known packages."""
    return [
        f"{name}:{line} {what}"
        for name in names
        for line, what in imports(name)
        if what.split(".")[0] not in sys.stdlib_module_names and not any(is_in(what, package) for package in known)
    ]


def test_every_import_contract_is_kept():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("sdk", sorted(HOMES))
def test_an_outside_sdk_is_imported_in_its_own_module_alone(sdk):
    found = imported_within(sdk, "shared")

    assert set(found) == HOMES[sdk], f"{sdk} is imported at {found}"


def test_every_package_from_outside_has_a_home():
    assert strangers(modules("shared"), *HOMES, *LIBRARIES, "shared") == []


def test_libraries_that_compute_are_used_by_feeds_clients_and_matching_alone():
    users = {name for library in LIBRARIES for name in imported_within(library, "shared")}

    rooms = {"shared/feeds", "shared/trades", "shared/clients", "shared/promotions"}
    assert {"/".join(name.split("/")[:2]) for name in users} <= rooms


def test_the_domain_imports_the_standard_library_and_itself_alone():
    domain = [name for name in modules("shared") if name.startswith("shared/domain/")]

    assert strangers([*domain, "shared/errors.py"], "shared.domain") == []


def test_blueprints_know_no_sdk_but_that_of_functions():
    assert strangers(modules("blueprints"), "azure.functions", "azure.durable_functions", "blueprints", "shared") == []


def test_only_blueprints_ask_for_the_services():
    askers = imported_within("shared.services", "shared", "function_app.py")

    assert askers == {}


def test_only_blueprints_read_and_answer_http():
    askers = imported_within("shared.http", "shared", "blueprints", "function_app.py")

    assert {name.split("/")[0] for name in askers if not is_below(name, ("shared/http",))} == {"blueprints"}


def test_neither_errors_nor_decisions_nor_triggers_know_status_codes():
    rooms = ("shared/errors.py", "shared/domain", "shared/flows", "blueprints")
    numbers = [
        f"{name}:{node.lineno} {node.value}"
        for name in modules(*rooms)
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.Constant) and node.value in STATUSES
    ]

    assert numbers == []
    assert imported_within("http", *rooms) == {}


def test_function_app_quietens_libraries_and_registers_blueprints_and_nothing_else():
    blueprints = [name for name in modules("blueprints") if "bp = df.Blueprint()" in text(name)]
    registered = {name.removesuffix(".py").replace("/", ".") + ".bp" for name in blueprints}

    imported = {what for _, what in imports("function_app.py")}

    assert imported == {"azure.durable_functions", "shared.telemetry.quieten_libraries", *registered}
    assert text("function_app.py").count("\n") <= len(blueprints) + 13
