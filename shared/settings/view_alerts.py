"""The app settings of alerts about views of the web shop's pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from shared.domain import setting
from shared.domain.setting import Setting
from shared.domain.volumes.measurement import RUN_ALERT
from shared.settings.measured_tables import alert_name

_LONGEST_FRESH: Final = timedelta(hours=24)
_OFF: Final = ("AzureWebJobs.alert_of_pageviews.Disabled", "AzureWebJobs.alert_of_stars.Disabled")

SETTINGS = (
    Setting(
        _OFF[0],
        setting.yes_or_no,
        "true",
        "`false`: views of the hub PAGEVIEWS_HUB raise alerts, by its consumer group `alerts`. "
        "The host reads it, and does not begin without that hub: set it.",
    ),
    Setting(
        _OFF[1],
        setting.yes_or_no,
        "true",
        "`false`: stars of the hub STARS_HUB do, by its consumer group `alerts`; as the views' is. "
        "The host reads it, and does not begin without that hub: set it.",
    ),
    Setting(
        "VIEW_ALERTS_FRESH",
        setting.positive_duration,
        "03:00:00",
        "How far a view's or stars' time may be from now, before or after, to raise alerts; at most 24:00:00.",
    ),
    Setting(
        "VIEW_ALERTS_NAME",
        alert_name,
        RUN_ALERT,
        "The NAME of ALERT_<NAME>_URL, the Logic App that mails of views: once for each kind in ALERT_QUIET.",
    ),
    Setting(
        "KEEP_VIEW_ALERTS", setting.positive_duration, "168:00:00", "How long the rows of alerts about views are kept."
    ),
)


@dataclass(frozen=True, slots=True)
class ViewAlertSettings:
    """How fresh a record must be, who is mailed, how long rows are kept. enabled: whether alerts are raised at all."""

    enabled: bool
    fresh: timedelta
    name: str
    keep: timedelta


def view_alert_settings(read: Mapping[str, Any]) -> ViewAlertSettings:
    """Pick them out of all that were read."""
    return ViewAlertSettings(
        enabled=not read[_OFF[0]],
        fresh=read["VIEW_ALERTS_FRESH"],
        name=read["VIEW_ALERTS_NAME"],
        keep=read["KEEP_VIEW_ALERTS"],
    )


def view_alert_rules(read: Mapping[str, Any]) -> list[str]:
    """Say which of them can't be."""
    fresh = read["VIEW_ALERTS_FRESH"]
    rules = {
        f"{_OFF[0]} and {_OFF[1]} must be alike: views after low stars need both": read[_OFF[0]] == read[_OFF[1]],
        "VIEW_ALERTS_FRESH must be at most 24:00:00": fresh <= _LONGEST_FRESH,
        "KEEP_VIEW_ALERTS must be more than twice VIEW_ALERTS_FRESH": read["KEEP_VIEW_ALERTS"] > 2 * fresh,
    }
    return [f"{rule}." for rule, holds in rules.items() if not holds]
