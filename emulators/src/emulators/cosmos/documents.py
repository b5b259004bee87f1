"""Requests for items: written, read, queried, and read again as the feed of what changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import msgspec
from aiohttp import web

from emulators.cosmos.backend import Backend
from emulators.cosmos.containers import Container, Containers, Partition
from emulators.cosmos.faults import Faults
from emulators.cosmos.feed import Selection, changes, selection
from emulators.cosmos.items import (
    MOST_BYTES,
    MOST_OPERATIONS,
    check_item,
    read_item,
    read_json,
    read_partition_key,
    value_at,
)
from emulators.cosmos.refusals import Refusal, bad_request, not_found, not_here, too_large
from emulators.cosmos.resources import Resource
from emulators.cosmos.throughput import read_charge, write_charge
from emulators.cosmos.versions import Key, Version
from emulators.serving import json_answer

_PAGE: Final = 100
_NAMES_OF_AN_ITEM: Final = 3
_MULTI_STATUS: Final = 207
_FAILED_DEPENDENCY: Final = 424


@dataclass(frozen=True, slots=True)
class Documents:
    """Handles the requests for items of an account."""

    backend: Backend
    containers: Containers
    faults: Faults

    async def answer(self, request: web.Request, resource: Resource) -> web.Response:
        """Answer one request for items; raises Refusal."""
        container = self.containers.get(*resource.names[:2])
        header = request.headers.get("x-ms-documentdb-partitionkey")
        self.faults.refuse(read_partition_key(header) if header is not None else None)
        await self._expire()
        headers, of_one = request.headers, len(resource.names) == _NAMES_OF_AN_ITEM
        if request.method == "GET":
            if of_one:
                return await self._read(container, resource, read_partition_key(header))
            return self._changes(container, headers)
        if request.method != "POST" or of_one:
            raise not_here(f"{request.method} of an item: it upserts, reads and queries them")
        return await self._post(container, await request.read(), headers)

    async def _post(self, container: Container, body: bytes, headers: Mapping[str, str]) -> web.Response:
        if is_true(headers, "x-ms-documentdb-isquery") or "query+json" in headers.get("Content-Type", ""):
            return await self._query(container, body, headers)
        key = read_partition_key(headers.get("x-ms-documentdb-partitionkey"))
        if is_true(headers, "x-ms-cosmos-is-batch-request"):
            return await self._batch(container, key, body, headers)
        return await self._upsert(container, key, body, headers)

    async def _expire(self) -> None:
        for container in self.containers:
            for key in container.take_expired():
                await self.backend.delete(path_of(container), key)

    async def _upsert(self, container: Container, key: str, body: bytes, headers: Mapping[str, str]) -> web.Response:
        if not is_true(headers, "x-ms-documentdb-is-upsert"):
            raise not_here("create: it upserts items")
        item = read_item(body)
        name = check_item(item, key, container.declaration.partition_key)
        partition, charge = container.partition_of(key), write_charge(len(body))
        [written] = await self._write(container, partition, [(name, item)], charge)
        content = b"" if _is_minimal(headers) else msgspec.json.encode(written["resourceBody"])
        answer = web.Response(body=content, status=written["statusCode"], content_type="application/json")
        answer.headers["etag"] = f'"{written["eTag"]}"'
        return charged(answer, charge, partition)

    async def _batch(self, container: Container, key: str, body: bytes, headers: Mapping[str, str]) -> web.Response:
        operations = _operations(body, headers)
        partition, path = container.partition_of(key), container.declaration.partition_key
        pairs = []
        for at, operation in enumerate(operations):
            try:
                item = read_item(msgspec.json.encode(operation.get("resourceBody")))
                pairs.append((check_item(item, key, path), item))
            except Refusal as refusal:
                return charged(json_answer(_undone(len(operations), at, refusal), _MULTI_STATUS), 0.0, partition)
        charges = [write_charge(len(msgspec.json.encode(item))) for _, item in pairs]
        written = await self._write(container, partition, pairs, sum(charges))
        kept = _without_bodies(written) if _is_minimal(headers) else written
        answers = [one | {"requestCharge": charge} for one, charge in zip(kept, charges, strict=True)]
        return charged(json_answer(answers), sum(charges), partition)

    async def _write(
        self, container: Container, partition: Partition, items: list[tuple[Key, dict[str, Any]]], charge: float
    ) -> list[dict[str, Any]]:
        partition.budget.admit()
        partition.budget.take(charge)
        async with partition.turn:
            written = await self.backend.write(path_of(container), items)
            for (name, _), each in zip(items, written, strict=True):
                container.note(partition, name, each["resourceBody"])
        return written

    async def _read(self, container: Container, resource: Resource, key: str) -> web.Response:
        partition = container.partition_of(key)
        partition.budget.admit()
        found = await self.backend.read(path_of(container), Key(key, resource.names[2]))
        if found is None:
            partition.budget.take(read_charge(0))
            raise not_found()
        answer = json_answer(found)
        charge = read_charge(len(msgspec.json.encode(found)))
        partition.budget.take(charge)
        answer.headers["etag"] = f'"{found["_etag"]}"'
        return charged(answer, charge, partition)

    async def _query(self, container: Container, body: bytes, headers: Mapping[str, str]) -> web.Response:
        if is_true(headers, "x-ms-cosmos-is-query-plan-request"):
            raise not_here("query plans: a query over all partitions is answered as one")
        wanted = selection(container, headers)
        for partition in wanted.partitions:
            partition.budget.admit()
        paging = {name: headers[name] for name in ("x-ms-continuation", "x-ms-max-item-count") if name in headers}
        page = await self.backend.query(path_of(container), read_json(body), paging)
        rows = [row for row in page.rows if _is_wanted(row, container, wanted)]
        answer = json_answer({"_rid": container.rid, "Documents": rows, "_count": len(rows)})
        if page.continuation is not None:
            answer.headers["x-ms-continuation"] = page.continuation
        answer.headers["x-ms-item-count"] = str(len(rows))
        charge = read_charge(len(msgspec.json.encode(rows)))
        for partition in wanted.partitions:
            partition.budget.take(charge / len(wanted.partitions))
        return charged(answer, charge, wanted.partitions[0])

    def _changes(self, container: Container, headers: Mapping[str, str]) -> web.Response:
        """Answer a page of the change feed of one physical partition: 304 where nothing changed."""
        wanted = selection(container, headers)
        if len(wanted.partitions) != 1:
            raise bad_request("A feed of changes is read by x-ms-documentdb-partitionkeyrangeid or by a partition key.")
        partition = wanted.partitions[0]
        partition.budget.admit()
        newer = (one for one in changes(partition.versions, headers) if wanted.takes(one.key.partition_key))
        most = int(headers.get("x-ms-max-item-count") or _PAGE)
        found = list(islice(newer, most))
        items = [_changed(one) for one in found]
        charge = read_charge(len(msgspec.json.encode(items)))
        partition.budget.take(charge)
        answer = (
            json_answer({"_rid": container.rid, "Documents": items, "_count": len(items)})
            if items
            else web.Response(status=304)
        )
        answer.headers["etag"] = f'"{found[-1].lsn if len(found) == most else partition.versions.last}"'
        return charged(answer, charge, partition)


def charged(answer: web.Response, charge: float, partition: Partition) -> web.Response:
    """Write what a request cost, and the session, into the headers of its answer."""
    answer.headers["x-ms-request-charge"] = f"{charge:g}"
    answer.headers["x-ms-session-token"] = partition.session
    answer.headers["lsn"] = str(partition.versions.last)
    return answer


def is_true(headers: Mapping[str, str], name: str) -> bool:
    """Say whether a header is set."""
    return headers.get(name, "").lower() == "true"


def path_of(container: Container) -> str:
    """Give the path of a container."""
    return f"/dbs/{container.declaration.database}/colls/{container.declaration.name}"


def _is_minimal(headers: Mapping[str, str]) -> bool:
    return headers.get("Prefer", "").lower() == "return=minimal"


def _operations(body: bytes, headers: Mapping[str, str]) -> list[Any]:
    if not is_true(headers, "x-ms-cosmos-batch-atomic"):
        raise not_here("bulk requests that are not atomic")
    if len(body) > MOST_BYTES:
        raise too_large(len(body), MOST_BYTES)
    operations = read_json(body)
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST_OPERATIONS:
        raise bad_request(f"Batch request has more operations than what is supported: {MOST_OPERATIONS}, or none.")
    if any(not isinstance(one, dict) or one.get("operationType") != "Upsert" for one in operations):
        raise not_here("batches of anything but Upsert")
    return operations


def _undone(operations: int, at: int, refusal: Refusal) -> list[dict[str, Any]]:
    """Answer a batch of which one operation is refused: nothing of it was done."""
    answers = [{"statusCode": _FAILED_DEPENDENCY, "requestCharge": 0} for _ in range(operations)]
    answers[at]["statusCode"] = refusal.status
    return answers


def _without_bodies(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "resourceBody"} for one in written]


def _is_wanted(row: object, container: Container, wanted: Selection) -> bool:
    if wanted.is_all:
        return True
    key = value_at(row, container.declaration.partition_key)
    if not isinstance(key, str):
        raise bad_request(
            "This emulator answers a query of a part of the partitions only where its rows hold the partition key."
        )
    return wanted.takes(key)


def _changed(version: Version) -> dict[str, Any]:
    return version.item | {"_lsn": version.lsn}
