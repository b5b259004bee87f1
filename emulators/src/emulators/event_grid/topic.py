"""The topic's endpoint: `POST /api/events`, answered as Event Grid answers."""

from aiohttp import web

from emulators.event_grid.authentication import Authenticator, Unauthorized
from emulators.event_grid.events import LARGEST_REQUEST, MalformedEvents, parse_events
from emulators.event_grid.grid import Grid

_VERSION = "2018-01-01"


class Topic:
    """Checks publishers and what they send, and hands it to the grid."""

    def __init__(self, grid: Grid, authenticator: Authenticator, resource_id: str) -> None:
        self._grid = grid
        self._authenticator = authenticator
        self._id = resource_id

    def application(self) -> web.Application:
        """Route the endpoint; a request of more than 1 MB is refused."""
        application = web.Application(client_max_size=LARGEST_REQUEST)
        application.router.add_post("/api/events", self._publish)
        return application

    async def _publish(self, request: web.Request) -> web.Response:
        if self._grid.worker.faults.is_topic_down():
            return _refusal(503, "ServiceUnavailable", "The topic is down on demand.")
        try:
            await self._authenticator.check(request.headers)
            _check_version(request)
            events = parse_events(await request.read(), request.content_type, self._id)
        except Unauthorized as error:
            return _refusal(401, "Unauthorized", str(error))
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413, "RequestEntityTooLarge", f"The maximum size ({LARGEST_REQUEST}) has been exceeded.")
        except MalformedEvents as error:
            return _refusal(400, "BadRequest", str(error), detail="InputJsonInvalid")
        self._grid.publish(events)
        return web.Response()


def _check_version(request: web.Request) -> None:
    version = request.query.get("api-version")
    if version != _VERSION:
        raise MalformedEvents(f"The query parameter api-version is {version!r}; it must be {_VERSION!r}.")


def _refusal(status: int, code: str, message: str, detail: str | None = None) -> web.Response:
    details = [{"code": detail or code, "message": message}]
    return web.json_response({"error": {"code": code, "message": message, "details": details}}, status=status)
