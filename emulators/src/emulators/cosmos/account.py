"""Requests for the account itself: where it is, its databases, its containers and their physical partitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from emulators.cosmos.backend import Backend
from emulators.cosmos.containers import LEAST_THROUGHPUT, Container, Containers, Declaration
from emulators.cosmos.items import read_json
from emulators.cosmos.refusals import bad_request, not_found, not_here
from emulators.cosmos.resources import Resource
from emulators.serving import json_answer

_REGION = "Local"
_HASH_VERSION = 2


class _PartitionKey(msgspec.Struct):
    paths: list[str]
    version: int = 1


class _Container(msgspec.Struct, rename={"partition_key": "partitionKey", "default_ttl": "defaultTtl"}):
    id: str
    partition_key: _PartitionKey
    default_ttl: int | None = None


@dataclass(slots=True)
class Account:
    """Handles the requests for everything but items; `partitions` is how many a container that is made here has."""

    backend: Backend
    containers: Containers
    partitions: int
    endpoint: str = ""

    async def answer(self, request: web.Request, resource: Resource) -> web.Response:
        """Answer one request; raises Refusal."""
        if request.method == "POST":
            return await self._make(request, resource)
        if request.method != "GET":
            raise not_here(f"{request.method} of databases and containers")
        if not resource.kind:
            return json_answer(self._facts())
        if resource.kind == "pkranges":
            return self._ranges(self.containers.get(*resource.names[:2]), request)
        described = await self.backend.describe(request.path.rstrip("/"))
        if described is None:
            raise not_found()
        return json_answer(described)

    async def provision(self, declaration: Declaration) -> None:
        """Make a container that must be there from the start, and its database."""
        if await self.backend.describe(f"/dbs/{declaration.database}") is None:
            await self.backend.make_database(declaration.database)
        made = await self.backend.make_container(declaration)
        self.containers.add(declaration, made["_rid"])

    async def _make(self, request: web.Request, resource: Resource) -> web.Response:
        body = await request.read()
        if resource.kind == "dbs":
            return json_answer(await self.backend.make_database(read_json(body)["id"]), 201)
        if resource.kind != "colls":
            raise not_here(f"POST of {resource.kind}")
        declaration = self._declared(body, resource.names[0], request.headers)
        made = await self.backend.make_container(declaration)
        self.containers.add(declaration, made["_rid"])
        return json_answer(made, 201)

    def _declared(self, body: bytes, database: str, headers: Mapping[str, str]) -> Declaration:
        try:
            given = msgspec.json.decode(body, type=_Container)
        except msgspec.DecodeError as error:
            raise bad_request(f"The container is not valid: {error}.") from error
        if len(given.partition_key.paths) != 1 or given.partition_key.version != _HASH_VERSION:
            raise not_here("containers but those with one partition key of version 2")
        throughput = float(headers.get("x-ms-offer-throughput") or LEAST_THROUGHPUT)
        if throughput < LEAST_THROUGHPUT:
            raise bad_request(f"The offer should have at least {LEAST_THROUGHPUT} RU/s.")
        path = given.partition_key.paths[0]
        return Declaration(database, given.id, path, throughput, self.partitions, given.default_ttl)

    def _ranges(self, container: Container, request: web.Request) -> web.Response:
        """List the physical partitions; a client that has them all already hears that nothing changed."""
        if request.headers.get("If-None-Match"):
            return web.Response(status=304, headers={"etag": request.headers["If-None-Match"]})
        listed = [
            {"id": each.range.id, "minInclusive": each.range.low, "maxExclusive": each.range.high, "parents": []}
            for each in container.partitions
        ]
        answer = json_answer({"_rid": container.rid, "PartitionKeyRanges": listed, "_count": len(listed)})
        answer.headers["etag"] = '"1"'
        return answer

    def _facts(self) -> dict[str, Any]:
        region = [{"name": _REGION, "databaseAccountEndpoint": f"{self.endpoint}/"}]
        return {
            "_self": "",
            "id": "local",
            "_rid": "local",
            "_dbs": "//dbs/",
            "media": "//media/",
            "addresses": "//addresses/",
            "writableLocations": region,
            "readableLocations": region,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
            "userReplicationPolicy": {"asyncReplication": False, "minReplicaSetSize": 1, "maxReplicasetSize": 4},
            "systemReplicationPolicy": {"minReplicaSetSize": 1, "maxReplicasetSize": 4},
            "readPolicy": {"primaryReadCoefficient": 1, "secondaryReadCoefficient": 1},
            "queryEngineConfiguration": "{}",
        }
