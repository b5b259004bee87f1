"""Whether the app lives, for whoever asks, and whether it can do its work, for those with a key."""

from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from blueprints.answers import answer
from shared.http.health_view import health_status, health_view
from shared.services import services

bp = df.Blueprint()


@bp.route(route="health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def get_liveness(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Answer 200: the host runs, and the worker answers. It asks nothing else, and says nothing else."""
    return await answer(_live())


@bp.route(route="health", methods=["GET"])
async def get_health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Show how each dependency stands: 200 where all that can be asked are ready, 503 where one is not."""
    return await answer(_look(), status_of=health_status)


async def _live() -> Mapping[str, Any]:
    return {"state": "alive"}


async def _look() -> Mapping[str, Any]:
    app = services()
    return health_view(await app.health.look(), app.clock())
