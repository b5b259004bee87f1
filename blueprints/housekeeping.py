"""Housekeeping: a timer ends or restarts what nobody carries out any more, and deletes what is too old."""

import azure.durable_functions as df
import azure.functions as func

from shared.clients.durable.orchestrations import DurableOrchestrations
from shared.flows.housekeeping import housekeeping_steps, look_after
from shared.flows.revive_runs import revive_runs
from shared.flows.spill_housekeeping import look_after_spill
from shared.flows.sweep_promotion_users import sweep_users
from shared.flows.sweep_view_alerts import sweep_view_alerts
from shared.services import services
from shared.signals.metrics import TICKS
from shared.signals.recording import record

bp = df.Blueprint()


@bp.timer_trigger(schedule="0 */5 * * * *", arg_name="timer", run_on_startup=False)
@bp.durable_client_input(client_name="client")
async def keep_in_order(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Look again at windows, runs, the task hub, the ledger, the spill and what is kept in blob."""
    app, orchestrations = services(), DurableOrchestrations(client)
    steps = housekeeping_steps(app.housekeeping_tools, orchestrations)
    record(TICKS, 1, timer="keep_in_order")
    steps["runs"] = lambda: revive_runs(app.enrichment_tools, orchestrations)
    steps["spill"] = lambda: look_after_spill(app.spill_housekeeping_tools)
    if app.settings.promotions.enabled:
        steps["promotions"] = lambda: sweep_users(app.promotion_users, app.clock())
    if app.settings.view_alerts.enabled:
        steps["view_alerts"] = lambda: sweep_view_alerts(app.view_sweep_tools)
    await look_after(steps)
