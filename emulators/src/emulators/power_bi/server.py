"""The push endpoint of Power BI over plain HTTP, and what has been pushed to it."""

import hmac
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from emulators.power_bi.datasets import Dataset, RowsRefused
from emulators.power_bi.limits import MOST_ROWS_A_POST, Limits
from emulators.serving import Site, serving

logger = logging.getLogger(__name__)

_MOST_BYTES = 64 * 2**20


@dataclass(slots=True)
class DatasetHandler:
    """One dataset with what has come to it. `clock` gives seconds and only goes forward."""

    dataset: Dataset
    clock: Callable[[], float]
    limits: Limits = field(default_factory=Limits)
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, key: str, body: bytes) -> web.Response:
        """Answer one POST: 200; 400, 403 or 413 for what can't be taken; 429 for what comes too fast."""
        if not hmac.compare_digest(key.encode(), self.dataset.key.encode()):
            return self._refused(403, "PowerBINotAuthorizedException", "The key is not the dataset's.")
        try:
            rows = _rows(body)
        except msgspec.DecodeError as error:
            return self._refused(400, "InvalidRequest", f"Send a JSON array of rows: {error}.")
        if len(rows) > MOST_ROWS_A_POST:
            message = f"{len(rows)} rows are more than the {MOST_ROWS_A_POST} of one request."
            return self._refused(413, "RequestEntityTooLarge", message)
        return self._push(rows)

    def _push(self, rows: Sequence[Mapping[str, Any]]) -> web.Response:
        wait = self.limits.retry_after(len(rows), self.clock())
        if wait is not None:
            message = "You are over the limit of requests or rows for this dataset; retry your push later."
            return self._refused(429, "TooManyRequests", message, {"Retry-After": str(wait)})
        try:
            self.dataset.check(rows)
        except RowsRefused as error:
            return self._refused(400, "DMTS_InvalidRow", str(error))
        self.counts.update({"posts": 1, "rows": len(rows)})
        return web.Response()

    def _refused(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
        self.counts.update({f"refused_{status}": 1})
        logger.info("power_bi.refused dataset=%s status=%s code=%s", self.dataset.dataset_id, status, code)
        body = {"error": {"code": code, "message": message}}
        return web.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def running(
    datasets: Iterable[Dataset], *, port: int = 0, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[dict[str, str]]:
    """Serve on 127.0.0.1; yield the addresses `root`, and `push`, that of the first dataset with its key."""
    handlers = {(one.workspace, one.dataset_id): DatasetHandler(one, clock) for one in datasets}
    async with serving(root=Site(_application(handlers), port)) as addresses:
        root = addresses["root"]
        first = next(iter(handlers.values())).dataset
        yield {"root": root, "push": f"{root}{_path_of(first)}?key={first.key}"}


def _application(handlers: Mapping[tuple[str, str], DatasetHandler]) -> web.Application:
    async def push(request: web.Request) -> web.Response:
        handler = handlers.get((request.match_info["workspace"], request.match_info["dataset"]))
        if handler is None:
            return web.json_response({"error": {"code": "PowerBIEntityNotFound"}}, status=404)
        return handler.take(request.query.get("key", ""), await request.read())

    async def show_pushed(request: web.Request) -> web.Response:
        del request
        pushed = {dataset: {"posts": 0, "rows": 0} | handler.counts for (_, dataset), handler in handlers.items()}
        return web.json_response({"datasets": pushed})

    application = web.Application(client_max_size=_MOST_BYTES)
    application.router.add_post("/beta/{workspace}/datasets/{dataset}/rows", push)
    application.router.add_get("/pushed", show_pushed)
    return application


def _rows(body: bytes) -> list[dict[str, Any]]:
    """Read the rows: an array of them, or an object that has it as `rows`."""
    if body.lstrip().startswith(b"{"):
        return msgspec.json.decode(body, type=dict[str, list[dict[str, Any]]]).get("rows", [])
    return msgspec.json.decode(body, type=list[dict[str, Any]])


def _path_of(dataset: Dataset) -> str:
    return f"/beta/{dataset.workspace}/datasets/{dataset.dataset_id}/rows"
