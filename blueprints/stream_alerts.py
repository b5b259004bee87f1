"""Alerts of streams where seconds matter: views of the web shop's pages that are slow, of VIPs, or after low stars.

What can never succeed is passed over, and fails no batch. All functions are idle until settings say otherwise.
"""

import logging
import typing

import azure.durable_functions as df
import azure.functions as func

from blueprints.hub_events import events_of, reads_hub
from shared import telemetry
from shared.flows.alert_of_views import alert_of_stars as of_stars
from shared.flows.alert_of_views import alert_of_views as of_views
from shared.flows.mail_view_alerts import mail_view_alerts as mail
from shared.services import services
from shared.signals.metrics import TICKS
from shared.signals.recording import record

bp = df.Blueprint()
logger = logging.getLogger(__name__)


@reads_hub(bp, "PAGEVIEWS_HUB", consumer_group="alerts")
def alert_of_pageviews(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006 - as the worker asks
    """Raise the alerts of a batch of views."""
    of_views(services().view_alert_tools, events_of(events))


@reads_hub(bp, "STARS_HUB", consumer_group="alerts")
def alert_of_stars(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006 - as the worker asks
    """Raise the alerts of views that came before the stars of a batch did."""
    of_stars(services().view_alert_tools, events_of(events))


@bp.timer_trigger(schedule="15 * * * * *", arg_name="timer", run_on_startup=False)
async def mail_view_alerts(timer: func.TimerRequest) -> None:
    """Mail of alerts that no mail told of; nothing is asked where views raise none."""
    app = services()
    mailed = await telemetry.in_thread(mail, app.view_mail_tools) if app.settings.view_alerts.enabled else {}
    record(TICKS, 1, timer="mail_view_alerts")
    if mailed:
        telemetry.info(logger, "view_alerts.mailed", late=timer.past_due, **mailed)
