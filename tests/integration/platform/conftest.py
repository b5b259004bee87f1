"""One platform with an app of one function, for the tests that only look at it."""

from dataclasses import replace

import pytest
import pytest_asyncio

from local.platform.ports import Ports
from local.platform.services import Choices
from local.platform.starting import running_platform

_APP = """
import os
import azure.functions as func

app = func.FunctionApp()

@app.route(route="setting/{name}", auth_level=func.AuthLevel.ANONYMOUS)
def setting(req: func.HttpRequest) -> str:
    return os.environ[req.route_params["name"]]
"""


@pytest.fixture(scope="session")
def choices():
    """A platform on free ports without the Functions host."""
    return Choices(ports=Ports.free(), with_functions=False)


@pytest.fixture(scope="module")
def ready():
    """The services of `platform`, in the order in which they got ready."""
    return []


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "function_app.py").write_text(_APP)
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder / "settings.json").write_text('{"Values": {"OF_THE_FILE": "filed", "CA_BUNDLE": "of the file"}}')
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(tmp_path_factory, choices, app, ready):
    folder = tmp_path_factory.mktemp("state") / "up"
    whole = replace(
        choices,
        with_functions=True,
        with_telemetry=True,
        settings_file=app / "settings.json",
        arguments={"functions": ["--app", str(app)]},
        settings={"OF_THE_CHOICES": "chosen"},
    )
    async with running_platform(folder, whole, clear=True, progress=ready.append) as started:
        yield started
