"""The platform with its real services on free ports."""

import asyncio
import os
import signal
import socket
from contextlib import closing
from dataclasses import replace

import aiohttp
import psutil
import pytest
from azure.eventhub import TransportType
from azure.eventhub.aio import EventHubProducerClient
from azure.identity.aio import ClientSecretCredential

from emulators.processes.supervision import ServiceFailed
from local.demo.telemetry import read_counts
from local.platform.ports import Ports, PortTaken
from local.platform.starting import running_platform
from local.platform.state import AlreadyRunning, is_running


async def start_and_stop(folder, choices):
    async with running_platform(folder, choices, clear=True) as platform:
        return platform.running


async def test_app_settings_lead_the_official_client_to_the_hub(platform):
    settings = platform.running.app_settings()
    login = {name.removeprefix("EVENT_HUBS__"): value for name, value in settings.items()}
    ca = settings["CA_BUNDLE"]
    credential = ClientSecretCredential(
        *(login["tenantId"], login["clientId"], login["clientSecret"]),
        authority=login["authorityHost"],
        disable_instance_discovery=True,
        connection_verify=ca,
    )
    client = EventHubProducerClient(
        *(login["fullyQualifiedNamespace"], "transactions", credential),
        custom_endpoint_address=login["customEndpointAddress"],
        connection_verify=ca,
        transport_type=TransportType.Amqp,
    )

    async with credential, client:
        assert len(await client.get_partition_ids()) == 10


async def test_app_sees_its_file_then_the_platform_then_the_choices(platform):
    names = ("OF_THE_FILE", "CA_BUNDLE", "OF_THE_CHOICES")

    async with aiohttp.ClientSession(platform.running.addresses["functions"]["http"]) as http:
        found = [await (await http.get(f"/api/setting/{name}")).text() for name in names]

    assert found == ["filed", str(platform.running.state.authority), "chosen"]


async def test_app_is_told_where_its_telemetry_goes_and_a_page_shows_it(platform):
    addresses = platform.running.addresses
    async with aiohttp.ClientSession() as http:
        told = await http.get(f"{addresses['functions']['http']}/api/setting/APPLICATIONINSIGHTS_CONNECTION_STRING")
        page = await http.get(addresses["application_insights"]["page"])

        assert await told.text() == addresses["application_insights"]["connection_string"]
        assert "Windows" in await page.text()
    assert set((await read_counts(platform.running)).values()) == {0}


async def test_services_report_as_they_get_ready_each_after_those_it_needs(platform, ready):
    assert sorted(ready[:-1]) == [
        *("application_insights", "entra", "event_hubs", "exchange", "notification_hubs", "storage"),
    ]
    assert ready[-1] == "functions"
    assert ready.index("entra") < ready.index("event_hubs")


async def test_running_platform_says_so(platform):
    assert is_running(platform.running.state)


async def test_second_platform_of_the_same_state_is_refused(platform, choices):
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        await start_and_stop(platform.running.state.folder, choices)


async def test_end_of_a_service_is_reported_by_name_and_the_others_are_stopped(tmp_path, choices):
    async with running_platform(tmp_path / "up", choices, clear=True) as platform:
        processes = [psutil.Process(pid) for pid in platform.running.process_ids.values()]
        os.kill(platform.running.process_ids["exchange"], signal.SIGKILL)
        failure = await asyncio.wait_for(platform.failure(), 10)

    assert str(failure).startswith("exchange ended with code -9")
    assert not any(process.is_running() for process in processes)
    assert not is_running(platform.running.state)


async def test_service_that_refuses_its_options_stops_the_start_and_is_quoted(tmp_path, choices):
    wrong = replace(choices, arguments={"exchange": ["--speed", "0"]})

    with pytest.raises(ServiceFailed, match=r"exchange ended at start[\s\S]*speed must be above 0"):
        await start_and_stop(tmp_path / "up", wrong)


async def test_taken_port_is_reported_before_anything_starts(tmp_path, choices):
    with closing(socket.create_server(("127.0.0.1", 0))) as holder:
        taken = replace(choices, ports=replace(Ports.free(), exchange=holder.getsockname()[1]))

        with pytest.raises(PortTaken, match="exchange needs port"):
            await start_and_stop(tmp_path / "up", taken)

    assert not (tmp_path / "up" / "logs" / "entra.log").exists()
