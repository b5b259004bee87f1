"""The app settings of promotions: what a user may get of them, and where phones are reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from shared.domain import setting
from shared.domain.promotions import Rules
from shared.domain.setting import Setting
from shared.domain.volumes.alert_address import AlertUrl, alert_url
from shared.settings import values

_LONGEST_FRESH: Final = timedelta(hours=24)

SETTINGS = (
    Setting(
        "AzureWebJobs.promote_points.Disabled",
        setting.yes_or_no,
        "true",
        "`false`: points of the hub GPS_HUB are matched with stores, by its consumer group `promotions`. "
        "The host reads it, and does not begin without that hub: set it.",
    ),
    Setting(
        "AzureWebJobs.push_promotions.Disabled",
        setting.yes_or_no,
        "true",
        "`false`: promotions of the hub PROMOTIONS_HUB are pushed to phones, by its consumer group `push`. "
        "The host reads it: set it.",
    ),
    Setting("PROMOTIONS_HUB", values.hub, "promotions", "The hub of promotions."),
    Setting("DELIVERIES_HUB", values.hub, "deliveries", "The hub that is told what became of each pushed promotion."),
    Setting("PROMOTIONS_CAP", setting.positive_integer, "3", "How many promotions a user gets a day (UTC), at most."),
    Setting(
        "PROMOTIONS_COOL_DOWN",
        setting.duration,
        "04:00:00",
        "For how long a user gets no other promotion of the same store; on one day there is never a second one.",
    ),
    Setting(
        "PROMOTIONS_FRESH",
        setting.positive_duration,
        "01:00:00",
        "How far a point's time may be from now, before or after, to be promoted for; at most 24:00:00.",
    ),
    Setting(
        "PUSH_URL",
        setting.optional_text,
        "",
        "The notification hub, `https://<namespace>.servicebus.windows.net/<hub>`; absent: nothing is pushed.",
    ),
    Setting(
        "PUSH_HOSTS",
        setting.names,
        "*.servicebus.windows.net",
        "The hosts that notifications may be sent to, separated by commas; `*.` stands for any name before it.",
    ),
    Setting("PUSH_KEY_NAME", setting.optional_text, "", "The shared access policy of the hub that may send."),
    Setting("PUSH_KEY", setting.optional_text, "", "Its key: in Azure a Key Vault reference.", secret=True),
)


@dataclass(frozen=True, slots=True)
class PushSettings:
    """The notification hub and the policy by which the app logs in."""

    url: AlertUrl
    key_name: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PromotionSettings:
    """The rules, the hubs of promotions and deliveries, how fresh a point must be; push: None where nothing is pushed.

    enabled: whether points are matched, so that there are users to look after.
    """

    enabled: bool
    rules: Rules
    hub: str
    deliveries_hub: str
    fresh: timedelta
    push: PushSettings | None


def promotion_settings(read: Mapping[str, Any]) -> PromotionSettings:
    """Pick them out of all that were read."""
    return PromotionSettings(
        enabled=not read["AzureWebJobs.promote_points.Disabled"],
        rules=Rules(read["PROMOTIONS_CAP"], read["PROMOTIONS_COOL_DOWN"]),
        hub=read["PROMOTIONS_HUB"],
        deliveries_hub=read["DELIVERIES_HUB"],
        fresh=read["PROMOTIONS_FRESH"],
        push=_push(read),
    )


def promotion_rules(read: Mapping[str, Any]) -> list[str]:
    """Say which of them can't be: where a phone's service is, and with which key."""
    problems = []
    if read["PROMOTIONS_FRESH"] > _LONGEST_FRESH:
        problems.append("PROMOTIONS_FRESH must be at most 24:00:00.")
    if not read["PUSH_URL"]:
        return problems
    missing = [name for name in ("PUSH_KEY_NAME", "PUSH_KEY") if not read[name]]
    problems += [f"{name} is not set; PUSH_URL needs it." for name in missing]
    try:
        _url(read)
    except ValueError as error:
        problems.append(f"PUSH_URL {error}.")
    return problems


def _push(read: Mapping[str, Any]) -> PushSettings | None:
    return PushSettings(_url(read), read["PUSH_KEY_NAME"], read["PUSH_KEY"]) if read["PUSH_URL"] else None


def _url(read: Mapping[str, Any]) -> AlertUrl:
    url = alert_url(read["PUSH_URL"], hosts=read["PUSH_HOSTS"], loopback=read["ONE_MACHINE"], allow_list="PUSH_HOSTS")
    if "?" in url.target:
        raise ValueError("must have no query (?)")
    return url
