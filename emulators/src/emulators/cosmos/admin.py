"""The admin port: what the containers hold and were charged, their throughput, and faults on demand."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from emulators.admin import FaultRoutes, admin_application, body_of
from emulators.cosmos.containers import Containers
from emulators.cosmos.faults import Fault, Faults
from emulators.serving import json_answer


class _Throughput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    units: float


def cosmos_admin(containers: Containers, faults: Faults) -> web.Application:
    """Route the admin port: `GET /containers`, and `POST /throughput {"units": RU/s}` for each of them."""

    async def provision(request: web.Request) -> web.Response:
        units = (await body_of(request, _Throughput)).units
        for container in containers:
            container.provision(units)
        return await show(request)

    async def show(_: web.Request) -> web.Response:
        return json_answer({"containers": [container.facts() for container in containers]})

    def health() -> Mapping[str, Any]:
        return {"containers": [container.declaration.name for container in containers]}

    routes = [web.get("/containers", show), web.post("/throughput", provision)]
    return admin_application(health, FaultRoutes.of(Fault, faults).routes(), routes)
