"""The admin port: pages of what arrived, the tables as JSON lines, and faults on demand."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from emulators.admin import FaultRoutes, admin_application
from emulators.application_insights import pages
from emulators.application_insights.columns import TABLES
from emulators.application_insights.faults import Fault, Faults
from emulators.application_insights.markup import Markup
from emulators.application_insights.series import series_of
from emulators.application_insights.store import Store
from emulators.application_insights.traces import Trace, belongs_to, spans_of, traces_of
from emulators.serving import json_answer

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"


def telemetry_admin(store: Store, faults: Faults, health: Callable[[], Mapping[str, Any]]) -> web.Application:
    """Route the admin port: `GET /` lists windows, `/traces/{id}`, `/metrics` and `/lines` are pages too.

    `GET /tables/{table}` gives rows as JSON lines, the oldest first, `GET /columns` the columns of all tables with
    their types, and `GET /health` has the number of rows by table.
    """
    screens = Screens(store)
    routes = [
        web.get("/", screens.windows),
        web.get("/traces/{trace}", screens.trace),
        web.get("/metrics", screens.metrics),
        web.get("/lines", screens.lines),
        web.get("/tables", screens.tables),
        web.get("/tables/{table}", screens.rows),
        web.get("/columns", screens.columns),
    ]
    return admin_application(
        lambda: {"rows": store.counts(), **health()}, FaultRoutes.of(Fault, faults).routes(), routes
    )


class Screens:
    """The pages of a store."""

    def __init__(self, store: Store) -> None:
        """Show a store as it is when it is asked for."""
        self._store = store

    async def windows(self, _: web.Request) -> web.Response:
        """List the windows."""
        return _page(pages.windows_page(self._traces(), self._store.counts(), self._store.most_rows))

    async def trace(self, request: web.Request) -> web.Response:
        """Show a trace with its lines; 404 where there is none."""
        wanted = request.match_info["trace"]
        found = next((trace for trace in self._traces() if trace.id == wanted), None)
        if found is None:
            raise web.HTTPNotFound
        mine = [line for line in self._lines() if belongs_to(line) in found.keys]
        return _page(pages.trace_page(found, reversed(pages.chosen_lines(mine, {}))))

    async def metrics(self, _: web.Request) -> web.Response:
        """Show the metrics."""
        return _page(pages.metrics_page(series_of(self._store.tables["AppMetrics"].rows())))

    async def lines(self, request: web.Request) -> web.Response:
        """Show the lines that are asked for."""
        return _page(pages.lines_page(pages.chosen_lines(self._lines(), request.query), request.query))

    async def tables(self, _: web.Request) -> web.Response:
        """List the tables."""
        return _page(pages.tables_page(self._store.counts()))

    async def rows(self, request: web.Request) -> web.StreamResponse:
        """Stream the rows of a table; 404 where there is none of the name."""
        table = self._store.tables.get(request.match_info["table"])
        if table is None:
            raise web.HTTPNotFound
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        for line in table.lines():
            await answer.write(line + b"\n")
        await answer.write_eof()
        return answer

    async def columns(self, _: web.Request) -> web.Response:
        """Give the columns of all tables."""
        return json_answer(TABLES)

    def _traces(self) -> list[Trace]:
        tables = self._store.tables
        spans = spans_of(row for name in ("AppRequests", "AppDependencies") for row in tables[name].rows())
        return traces_of(spans, self._lines())

    def _lines(self) -> list[dict[str, Any]]:
        """Give the lines; one that was logged with an exception is among the exceptions."""
        tables = self._store.tables
        return [row for name in ("AppTraces", "AppExceptions") for row in tables[name].rows()]


def _page(text: Markup) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": _POLICY})
