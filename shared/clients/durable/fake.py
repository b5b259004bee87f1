"""Stands in for durable orchestrations in tests."""

from collections.abc import Mapping
from typing import Any

from shared.errors import Unavailable


class FakeOrchestrations:
    """Keeps the payload of each instance that was started, and the ids of those that were to stop.

    failing: the ids for which the host does not answer.
    """

    def __init__(self) -> None:
        self.started: dict[str, Mapping[str, Any]] = {}
        self.stopped: list[str] = []
        self.failing: set[str] = set()

    async def start(self, window_id: str, payload: Mapping[str, Any]) -> None:
        if window_id in self.failing:
            raise Unavailable(f"Orchestration {window_id} could not be started: it is to fail.")
        self.started.setdefault(window_id, payload)

    async def start_enrichment(self, instance_id: str, payload: Mapping[str, Any]) -> None:
        await self.start(instance_id, payload)

    async def stop(self, instance_ids: list[str]) -> None:
        for instance_id in instance_ids:
            if instance_id in self.failing:
                raise Unavailable(f"The status of instance {instance_id} can't be read: it is to fail.")
            self.stopped.append(instance_id)

    def status_urls(self, window_id: str) -> Mapping[str, str]:
        return {"statusQueryGetUri": f"http://127.0.0.1/instances/{window_id}"}
