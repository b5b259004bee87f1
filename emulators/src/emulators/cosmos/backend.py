"""What is asked of cosmosdb-server: it keeps the items and answers queries; who may do what is decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from emulators.cosmos.containers import Declaration
from emulators.cosmos.refusals import bad_request, conflict
from emulators.cosmos.versions import Key

type Json = Any
"""What a body holds."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a query's rows; continuation: where the next one begins, None for the last."""

    rows: Sequence[Json]
    continuation: str | None


class Backend:
    """A session with the program at an address. A failure of its own is an error of this emulator."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def make_database(self, name: str) -> Json:
        """Make a database; raises the Refusal of a name that is taken."""
        return await self._make("/dbs", {"id": name})

    async def make_container(self, declaration: Declaration) -> Json:
        """Make a container; raises the Refusal of a name that is taken."""
        return await self._make(f"/dbs/{declaration.database}/colls", declaration.document())

    async def describe(self, path: str) -> Json | None:
        """Give a database, a container or a list of them; None where there is none."""
        status, body, _ = await self._ask("GET", path)
        return None if status == 404 else body  # noqa: PLR2004 - not found

    async def write(self, path: str, items: Sequence[tuple[Key, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Write items of one partition key, one after the other; gives for each its status and what is kept."""
        operations = [
            {"operationType": "Upsert", "partitionKey": _header(key), "resourceBody": item} for key, item in items
        ]
        headers = {"x-ms-cosmos-is-batch-request": "True", "x-ms-cosmos-batch-atomic": "True"}
        _, body, _ = await self._ask("POST", f"{path}/docs", operations, headers)
        written: list[dict[str, Any]] = body
        return written

    async def read(self, path: str, key: Key) -> Json | None:
        """Give one item, None where there is none."""
        headers = {"x-ms-documentdb-partitionkey": _header(key), "x-ms-documentdb-query-enablecrosspartition": "True"}
        status, body, _ = await self._ask("GET", f"{path}/docs/{key.id}", headers=headers)
        return None if status == 404 else body  # noqa: PLR2004 - not found

    async def delete(self, path: str, key: Key) -> None:
        """Delete an item that may not be there."""
        await self._ask("DELETE", f"{path}/docs/{key.id}", headers={"x-ms-documentdb-partitionkey": _header(key)})

    async def query(self, path: str, query: Json, paging: Mapping[str, str]) -> Page:
        """Ask over all partitions; raises the Refusal of a query that is not understood."""
        headers = {"x-ms-documentdb-isquery": "True", "x-ms-documentdb-query-enablecrosspartition": "True", **paging}
        status, body, answered = await self._ask("POST", f"{path}/docs", query, headers)
        if status != 200 or "Documents" not in body:  # noqa: PLR2004 - fine
            raise bad_request(str(body.get("message", "The query is not understood.")))
        return Page(body["Documents"], answered.get("x-ms-continuation"))

    async def _make(self, path: str, document: Mapping[str, Any]) -> Json:
        status, body, _ = await self._ask("POST", path, document)
        if status == 409:  # noqa: PLR2004 - conflict
            raise conflict(str(document.get("id")))
        if status != 201:  # noqa: PLR2004 - created
            raise bad_request(str(body.get("message")))
        return body

    async def _ask(
        self, method: str, path: str, body: Json = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Json, Mapping[str, str]]:
        data = None if body is None else msgspec.json.encode(body)
        async with self._session.request(method, path, data=data, headers=headers) as answer:
            text = await answer.read()
            if answer.status == 500:  # noqa: PLR2004 - its own error
                raise BackendFailed(f"cosmosdb-server failed at {method} {path}: {text[:300]!r}")
            return answer.status, msgspec.json.decode(text) if text else None, answer.headers


class BackendFailed(Exception):
    """The program answered an error of its own."""


def _header(key: Key) -> str:
    return msgspec.json.encode([key.partition_key]).decode()
