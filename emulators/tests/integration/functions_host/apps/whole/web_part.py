"""HTTP functions of every kind, and a timer."""

import asyncio
import json
import logging
import os
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()
ANONYMOUS = func.AuthLevel.ANONYMOUS


def note(effect: str, text: str) -> None:
    """Add a line to the file of this effect."""
    with Path(os.environ["EFFECTS"], effect).open("a") as file:
        file.write(f"{text}\n")


@bp.route(route="echo/{kind}/{number:int?}", auth_level=ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "route": dict(req.route_params),
        "query": dict(req.params),
        "header": req.headers.get("x-seen"),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", status_code=201, headers={"X-Made": "yes"})


@bp.route(route="echo/literal", auth_level=ANONYMOUS, methods=["GET"])
def literal(req: func.HttpRequest) -> str:
    return "literal"


@bp.route(route="files/{*rest}", auth_level=ANONYMOUS)
async def files(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params["rest"])


@bp.route(auth_level=ANONYMOUS)
def named_by_itself(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("cookie")
    response.headers.add("Set-Cookie", "flavour=oat; Path=/api; HttpOnly")
    return response


@bp.route(route="fails", auth_level=ANONYMOUS)
def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("on purpose")


@bp.route(route="settings/{name}", auth_level=ANONYMOUS)
def settings(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app").info("settings.read", extra={"setting": req.route_params["name"]})
    print("printed by the app")
    return func.HttpResponse(os.environ.get(req.route_params["name"], ""))


@bp.route(route="says/{word}", auth_level=ANONYMOUS)
async def says(req: func.HttpRequest) -> func.HttpResponse:
    word, logger = req.route_params["word"], logging.getLogger("azure.core.pipeline")
    logger.info("on the loop: %s", word)
    await asyncio.to_thread(logger.info, "in a thread: %s", word)
    await asyncio.to_thread(logging.getLogger("app").warning, "in a thread: %s", word)
    return func.HttpResponse("said")


@bp.route(route="function-level")
def function_level(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@bp.route(route="admin-level", auth_level=func.AuthLevel.ADMIN)
def admin_level(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@bp.timer_trigger(arg_name="timer", schedule="%NIGHTLY%")
@bp.durable_client_input(client_name="client")
async def nightly(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    status = await client.get_status("no-such-instance")
    line = {"past_due": timer.past_due, "status": timer.schedule_status, "known": bool(status)}
    note("timer", json.dumps(line))
