"""The durable orchestrations of windows and their runs: start one, raise its stop, tell where its status is."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared import telemetry
from shared.domain.steps import readable
from shared.domain.windows.instances import Standing
from shared.domain.windows.window import EARLIEST
from shared.errors import Unavailable

if TYPE_CHECKING:
    from azure.durable_functions import DurableOrchestrationClient

logger = logging.getLogger(__name__)

WINDOW_ORCHESTRATOR = "ingest_window"
ENRICHMENT_ORCHESTRATOR = "enrich_window"
STOP_EVENT = "stop"

_STANDINGS: Final[Mapping[str, Standing]] = {
    **dict.fromkeys(("Pending", "Running", "Suspended", "ContinuedAsNew"), "alive"),
    "Completed": "completed",
    **dict.fromkeys(("Failed", "Terminated", "Canceled"), "failed"),
}
_ENDED = ("completed", "failed")
_AT_ONCE = 16
_PURGE_SECONDS = 60.0


class Orchestrations(Protocol):
    """Instances are named as `shared.domain.windows.instances` and runs name theirs; every verb raises Unavailable."""

    async def start(self, window_id: str, payload: Mapping[str, Any]) -> None:
        """Start a window's orchestration, also where one of that id has ended; that it runs already is success."""

    async def start_enrichment(self, instance_id: str, payload: Mapping[str, Any]) -> None:
        """Start the orchestration of a window's run; that it runs already is success."""

    async def stop(self, instance_ids: list[str]) -> None:
        """Raise `stop` to each instance; one that has ended or never began is passed over."""

    async def standing(self, instance_id: str) -> Standing:
        """Say how an instance stands; `gone` where the task hub does not know it."""

    async def purge(self, created_before: datetime) -> int:
        """Delete the history of the instances that were created before an instant and have ended; say how many."""

    def status_urls(self, window_id: str) -> Mapping[str, str]:
        """Give the management URLs of a window's orchestration."""


class DurableOrchestrations:
    """The real ones, by the durable client that a trigger was given."""

    def __init__(self, client: "DurableOrchestrationClient") -> None:
        """Keep the client of this invocation."""
        self._client = client

    async def start(self, window_id: str, payload: Mapping[str, Any]) -> None:
        """Start it."""
        await self._started(window_id, self._client.start_new(WINDOW_ORCHESTRATOR, window_id, dict(payload)))

    async def start_enrichment(self, instance_id: str, payload: Mapping[str, Any]) -> None:
        """Start it."""
        await self._started(instance_id, self._client.start_new(ENRICHMENT_ORCHESTRATOR, instance_id, dict(payload)))

    async def stop(self, instance_ids: list[str]) -> None:
        """Raise the event, to some at once."""
        for some in batched(instance_ids, _AT_ONCE, strict=False):
            await asyncio.gather(*(self._raise_stop(instance_id) for instance_id in some))

    async def standing(self, instance_id: str) -> Standing:
        """Ask for its status."""
        try:
            status = await self._client.get_status(instance_id)
        except Exception as error:
            raise Unavailable(f"The status of instance {instance_id} can't be read: {readable(str(error))}.") from error
        # For an unknown id the SDK answers an object without a status (durable-python issue 353).
        return _STANDINGS[status.runtime_status.value] if status and status.runtime_status else "gone"

    async def purge(self, created_before: datetime) -> int:
        """Ask for it, and wait no longer than a minute; what the host deletes meanwhile stays deleted."""
        from azure.durable_functions import OrchestrationRuntimeStatus  # noqa: PLC0415 - slow to import

        ended = [OrchestrationRuntimeStatus(name) for name, standing in _STANDINGS.items() if standing in _ENDED]
        asked = self._client.purge_instance_history_by(EARLIEST, created_before, ended)
        try:
            return int((await asyncio.wait_for(asked, _PURGE_SECONDS)).instances_deleted)
        except TimeoutError:
            return 0
        except Exception as error:
            raise Unavailable(f"The task hub's old history can't be deleted: {error}.") from error

    def status_urls(self, window_id: str) -> Mapping[str, str]:
        """Give the URLs that the durable extension offers for the instance."""
        urls: dict[str, str] = self._client.create_http_management_payload(window_id)
        return urls

    async def _started(self, instance_id: str, starting: Awaitable[str]) -> None:
        """Await a start; a refusal is success where an instance of that id lives."""
        try:
            await starting
        except Exception as error:  # the SDK raises bare exceptions, whatever happened
            if await self.standing(instance_id) != "alive":
                raise Unavailable(
                    f"Orchestration {instance_id} could not be started: {readable(str(error))}."
                ) from error
            telemetry.info(logger, "orchestration.already_running", instance=instance_id)

    async def _raise_stop(self, instance_id: str) -> None:
        try:
            await self._client.raise_event(instance_id, STOP_EVENT, {})
        except Exception as error:
            if await self.standing(instance_id) == "alive":
                raise Unavailable(
                    f"Instance {instance_id} could not be asked to stop: {readable(str(error))}."
                ) from error
