"""Stands in for durable orchestrations in tests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.windows.instances import Standing
from shared.errors import Unavailable


class FakeOrchestrations:
    """Keeps the payload of each instance that was started last, and the ids of those that were to stop.

    An instance that is asked to stop has completed. standings: of what was started, to be changed by tests. created:
    when, of what may be purged. failing: the ids for which the host does not answer, or `purge`.
    """

    def __init__(self) -> None:
        self.started: dict[str, Mapping[str, Any]] = {}
        self.stopped: list[str] = []
        self.standings: dict[str, Standing] = {}
        self.created: dict[str, datetime] = {}
        self.failing: set[str] = set()

    async def start(self, window_id: str, payload: Mapping[str, Any]) -> None:
        if window_id in self.failing:
            raise Unavailable(f"Orchestration {window_id} could not be started: it is to fail.")
        if await self.standing(window_id) != "alive":
            self.started[window_id] = payload
            self.standings[window_id] = "alive"

    async def start_enrichment(self, instance_id: str, payload: Mapping[str, Any]) -> None:
        await self.start(instance_id, payload)

    async def stop(self, instance_ids: list[str]) -> None:
        for instance_id in instance_ids:
            if await self.standing(instance_id) == "alive":
                self.stopped.append(instance_id)
                self.standings[instance_id] = "completed"

    async def standing(self, instance_id: str) -> Standing:
        if instance_id in self.failing:
            raise Unavailable(f"The status of instance {instance_id} can't be read: it is to fail.")
        return self.standings.get(instance_id, "gone")

    async def purge(self, created_before: datetime) -> int:
        if "purge" in self.failing:
            raise Unavailable("The task hub's old history can't be deleted: it is to fail.")
        old = [one for one, created in self.created.items() if created < created_before]
        ended = [one for one in old if await self.standing(one) in ("completed", "failed")]
        for instance_id in ended:
            del self.standings[instance_id], self.created[instance_id]
        return len(ended)

    def status_urls(self, window_id: str) -> Mapping[str, str]:
        return {"statusQueryGetUri": f"http://127.0.0.1/instances/{window_id}"}
