"""Stands in for durable orchestrations in tests."""

from collections.abc import Mapping
from typing import Any

from shared.errors import Unavailable


class FakeOrchestrations:
    """Orchestrations in memory: keeps what was started and stopped."""

    def __init__(self) -> None:
        """Begin with none."""
        self.started: dict[str, Mapping[str, Any]] = {}
        self.stopped: list[str] = []
        self.failing: set[str] = set()

    async def start(self, window_id: str, payload: Mapping[str, Any]) -> None:
        """Keep the first payload for an id; those of `failing` can't be started."""
        if window_id in self.failing:
            raise Unavailable(f"Orchestration {window_id} could not be started: it is to fail.")
        self.started.setdefault(window_id, payload)

    async def start_enrichment(self, instance_id: str, payload: Mapping[str, Any]) -> None:
        """Keep it as a window's."""
        await self.start(instance_id, payload)

    async def stop(self, instance_ids: list[str]) -> None:
        """Keep the ids."""
        self.stopped.extend(instance_ids)

    def status_urls(self, window_id: str) -> Mapping[str, str]:
        """Give a made-up URL."""
        return {"statusQueryGetUri": f"http://127.0.0.1/instances/{window_id}"}
