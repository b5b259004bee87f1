"""What is done once a day, once for all, or as often as is set: timers ask what is due, by the clock of a feed's zone.

Azure's timers know UTC alone (`WEBSITE_TIME_ZONE` is not for Linux plans that scale by themselves), and feeds have
zones of their own.
"""

import azure.durable_functions as df
import azure.functions as func

from shared.clients.durable.orchestrations import DurableOrchestrations
from shared.flows.daily_gold import start_daily_runs
from shared.flows.export_rows import export_rows
from shared.flows.lookups import write_due_lookups
from shared.flows.reference_data import draw_reference_data
from shared.services import services
from shared.signals.metrics import TICKS
from shared.signals.recording import record

bp = df.Blueprint()


@bp.timer_trigger(schedule="10 */5 * * * *", arg_name="timer", run_on_startup=False)
def write_daily_lookups(timer: func.TimerRequest) -> None:  # noqa: ARG001
    """Write the day's file of each daily lookup that is due and not there."""
    app = services()
    tools = app.lookup_tools
    record(TICKS, 1, timer="write_daily_lookups")
    write_due_lookups(tools, app.clock())


@bp.timer_trigger(schedule="30 */5 * * * *", arg_name="timer", run_on_startup=False)
def write_reference_data(timer: func.TimerRequest) -> None:  # noqa: ARG001
    """Write what is missing of the reference data that drawn feeds have in the lake, as far as four minutes go."""
    tools = services().reference_tools
    record(TICKS, 1, timer="write_reference_data")
    draw_reference_data(tools)


@bp.timer_trigger(schedule="20 */5 * * * *", arg_name="timer", run_on_startup=False)
@bp.durable_client_input(client_name="client")
async def bring_gold_up_to_date(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Start the run that brings the gold of the day before up to date, of each feed for which it is due."""
    app = services()
    schedules = {name: each.daily for name, each in app.settings.feeds.items()}
    record(TICKS, 1, timer="bring_gold_up_to_date")
    await start_daily_runs(app.enrichment_tools, schedules, DurableOrchestrations(client))


@bp.timer_trigger(schedule="40 * * * * *", arg_name="timer", run_on_startup=False)
def export_sql_rows(timer: func.TimerRequest) -> None:  # noqa: ARG001
    """Export to the lake the rows that changed of each SQL table for which it is time."""
    tools = services().export_tools
    record(TICKS, 1, timer="export_sql_rows")
    export_rows(tools)
