"""The contract of orchestrations: what holds for the durable extension of the local host must hold for the fake."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import requests
from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.utils import http_utils

from emulators.testing import running_service
from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.durable.orchestrations import DurableOrchestrations
from shared.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the SDK keeps one session for all clients of a process
APP = Path(__file__).parent / "app"
ids = (f"trades-{number}" for number in itertools.count())


class Fake:
    """The fake, and what a test may ask about it."""

    def __init__(self):
        self.orchestrations = FakeOrchestrations()

    def was_created(self, *instances):
        """Say that instances were made just now, as the durable extension does by itself."""
        self.orchestrations.created.update(dict.fromkeys(instances, datetime.now(UTC)))

    async def payload_once_ended(self, instance_id):
        assert instance_id in self.orchestrations.stopped
        return self.orchestrations.started[instance_id]

    async def suspend(self, instance_id):
        assert self.orchestrations.standings[instance_id] == "alive"

    async def terminate(self, instance_id):
        self.orchestrations.standings[instance_id] = "failed"


class Durable:
    """The durable client of a running host, and what a test may ask about it."""

    def __init__(self, binding):
        self._client = DurableOrchestrationClient(binding)
        self.orchestrations = DurableOrchestrations(self._client)

    def was_created(self, *instances):
        """Nothing to do: the host knows when."""

    async def payload_once_ended(self, instance_id):
        """Give what an orchestration ended with, which is what it was started with."""
        async with asyncio.timeout(20):
            while (status := await self._client.get_status(instance_id)).runtime_status.value != "Completed":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return status.output

    async def suspend(self, instance_id):
        await self._client.suspend(instance_id, "a person looks at it")
        await self._become(instance_id, "Suspended")

    async def terminate(self, instance_id):
        await self._client.terminate(instance_id, "a person ends it")
        await self._become(instance_id, "Terminated")

    async def _become(self, instance_id, wanted):
        async with asyncio.timeout(20):
            while (await self._client.get_status(instance_id)).runtime_status.value != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def binding(tmp_path_factory):
    folder = tmp_path_factory.mktemp("orchestrations")
    settings = ("--settings", APP / "app_settings.json", "--port", 0, "--rpc-port", 0)
    with running_service(
        "functions_host", "--app", APP, "--state", folder / "state", *settings, log=folder / "log"
    ) as addresses:
        answer = requests.get(f"{addresses['http']}/api/binding", timeout=20)
        answer.raise_for_status()
        yield answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def closed_session():
    yield
    await http_utils._close_session()


@pytest.fixture(params=["fake", "durable"])
def side(request):
    return Fake() if request.param == "fake" else Durable(request.getfixturevalue("binding"))


async def test_what_is_started_runs_until_it_is_stopped(side):
    window, run = next(ids), f"enrich-{next(ids)}"
    await side.orchestrations.start(window, {"a": 1})
    await side.orchestrations.start_enrichment(run, {"b": 2})

    await side.orchestrations.stop([window, run])

    assert await side.payload_once_ended(window) == {"a": 1}
    assert await side.payload_once_ended(run) == {"b": 2}


async def test_what_runs_already_is_not_started_again(side):
    window = next(ids)

    for number in (1, 2):
        await side.orchestrations.start(window, {"number": number})

    await side.orchestrations.stop([window])
    assert await side.payload_once_ended(window) == {"number": 1}


async def test_what_has_ended_or_never_began_is_passed_over_by_a_stop(side):
    window = next(ids)
    await side.orchestrations.start(window, {})
    await side.orchestrations.stop([window])
    await side.payload_once_ended(window)

    await side.orchestrations.stop([window, next(ids)])


async def test_an_orchestration_is_alive_until_it_has_completed(side):
    window = next(ids)
    unknown = await side.orchestrations.standing(window)
    await side.orchestrations.start(window, {})
    started = await side.orchestrations.standing(window)

    await side.orchestrations.stop([window])
    await side.payload_once_ended(window)

    assert (unknown, started) == ("gone", "alive")
    assert await side.orchestrations.standing(window) == "completed"


async def test_an_orchestration_that_was_suspended_is_alive_and_one_that_was_terminated_failed(side):
    window = next(ids)
    await side.orchestrations.start(window, {})

    await side.suspend(window)
    suspended = await side.orchestrations.standing(window)
    await side.terminate(window)

    assert (suspended, await side.orchestrations.standing(window)) == ("alive", "failed")


@pytest.mark.parametrize("how", ["completed", "terminated"])
async def test_what_has_ended_is_started_again(side, how):
    window = next(ids)
    await side.orchestrations.start(window, {"number": 1})
    if how == "completed":
        await side.orchestrations.stop([window])
        await side.payload_once_ended(window)
    else:
        await side.terminate(window)

    await side.orchestrations.start(window, {"number": 2})

    await side.orchestrations.stop([window])
    assert await side.payload_once_ended(window) == {"number": 2}


async def test_the_addresses_of_an_orchestration_name_it(side):
    window = next(ids)

    assert window in side.orchestrations.status_urls(window)["statusQueryGetUri"]


@pytest.fixture(params=["fake", "durable"])
def silent(request):
    """Orchestrations whose host does not answer."""
    if request.param == "fake":
        fake = FakeOrchestrations()
        fake.failing = {"trades-silent"}
        return fake
    gone = DurableOrchestrationClient(
        '{"taskHubName": "a", "creationUrls": {}, "managementUrls": {}, "rpcBaseUrl": "http://127.0.0.1:9/"}'
    )
    return DurableOrchestrations(gone)


@pytest.mark.parametrize(
    "verb",
    [
        lambda orchestrations: orchestrations.start("trades-silent", {}),
        lambda orchestrations: orchestrations.start_enrichment("trades-silent", {}),
        lambda orchestrations: orchestrations.stop(["trades-silent"]),
        lambda orchestrations: orchestrations.standing("trades-silent"),
    ],
    ids=["start", "start_enrichment", "stop", "standing"],
)
async def test_a_host_that_does_not_answer_is_unavailable(silent, verb):
    with pytest.raises(Unavailable, match="trades-silent"):
        await verb(silent)


async def test_the_history_of_what_has_ended_is_deleted_and_a_second_time_there_is_none(side):
    window, other = next(ids), next(ids)
    await side.orchestrations.start(window, {})
    await side.orchestrations.start(other, {})
    await side.orchestrations.stop([window])
    await side.payload_once_ended(window)
    side.was_created(window, other)

    purged = [await side.orchestrations.purge(datetime.now(UTC) + timedelta(minutes=1)) for _ in range(2)]

    assert purged[0] >= 1
    assert purged[1] == 0
    assert (await side.orchestrations.standing(window), await side.orchestrations.standing(other)) == ("gone", "alive")


async def test_a_host_that_does_not_answer_deletes_no_history(silent):
    if isinstance(silent, FakeOrchestrations):
        silent.failing.add("purge")

    with pytest.raises(Unavailable, match="history can't be deleted"):
        await silent.purge(datetime.now(UTC))
