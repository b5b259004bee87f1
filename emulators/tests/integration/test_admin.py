"""An admin port over HTTP: one set of routes and one shape of refusal, whatever the emulator."""

import aiohttp
import msgspec
import pytest
from aiohttp import web

from emulators.admin import FaultRoutes, admin_application
from emulators.faults import FaultQueue, Limits
from emulators.serving import Site, json_answer, serving


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    count: int = 1

    @property
    def limits(self):
        return Limits(count=self.count)


async def refuse(_):
    raise ValueError("There is no such thing.")


async def answer(_):
    return json_answer({"fine": True})


@pytest.fixture
async def admin():
    routes = [web.get("/more", refuse), web.get("/fine", answer)]
    application = admin_application(lambda: {"things": 3}, FaultRoutes.of(Fault, FaultQueue()).routes(), routes)
    async with serving(admin=Site(application)) as addresses, aiohttp.ClientSession(addresses["admin"]) as session:
        yield session


async def asked(admin, method, path, body=None):
    async with admin.request(method, path, data=body) as answer:
        return answer.status, await answer.json()


async def test_health_has_the_status_and_the_facts_of_the_emulator(admin):
    assert await asked(admin, "GET", "/health") == (200, {"status": "ok", "things": 3})


async def test_fault_is_added_shown_and_cleared(admin):
    added = await asked(admin, "POST", "/faults", b'{"kind": "late", "count": 2}')
    shown = await asked(admin, "GET", "/faults")
    cleared = await asked(admin, "DELETE", "/faults")

    fault = {"kind": "late", "count": 2, "injected": 0, "met": 0, "left": 2}
    assert added == shown == (200, {"faults": [fault]})
    assert cleared == (200, {"faults": []})


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"{", "truncated"), (b"[]", "object"), (b'{"kind": 1}', "kind"), (b'{"kind": "x", "y": 1}', "y")],
)
async def test_malformed_fault_is_refused_with_the_reason(admin, body, reason):
    status, answer = await asked(admin, "POST", "/faults", body)

    assert (status, list(answer)) == (400, ["error"])
    assert reason in answer["error"]


async def test_further_routes_are_refused_in_the_same_shape(admin):
    assert await asked(admin, "GET", "/fine") == (200, {"fine": True})
    assert await asked(admin, "GET", "/more") == (400, {"error": "There is no such thing."})


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/faults", 405)])
async def test_what_an_admin_port_does_not_have_is_refused_in_the_same_shape(admin, method, path, status):
    answered, answer = await asked(admin, method, path)

    assert (answered, list(answer)) == (status, ["error"])
    assert f"{method} {path}" in answer["error"]
