"""The settings of one feed: when its windows lie, how they are cut and sent, and what is replayed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.days import DailySchedule
from shared.domain.recording import RecordingLocation
from shared.domain.windows.plan import PlanTemplate, longest_window
from shared.domain.windows.replay import ReplaySettings
from shared.domain.windows.schedule import Schedule
from shared.feeds.feed import Feed
from shared.settings.streams import answers_plans, stream_plan


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """One feed, when its windows lie, how they are cut and sent, what is done each day and what is replayed."""

    feed: Feed
    schedule: Schedule
    template: PlanTemplate
    job: str | None
    daily: DailySchedule
    recording: RecordingLocation | None = None


def feed_settings(feed: Feed, read: Mapping[str, Any]) -> FeedSettings:
    """Put together the settings of one feed from all that were read."""
    name = feed.name.upper()
    schedule = Schedule(
        feed=feed.name,
        every=read[f"{name}_WINDOW_EVERY"],
        offset=read[f"{name}_WINDOW_OFFSET"],
        length=read[f"{name}_WINDOW_LENGTH"],
        lead=read[f"{name}_LEAD"],
        catch_up=read[f"{name}_CATCH_UP"],
        longest=longest_window(read[f"{name}_SLICE_LENGTH"]),
        reingest=read["REINGEST"],
    )
    recording, daily = read.get(f"{name}_REPLAY_FILE"), _daily(feed, read)
    template = _template(feed, read)
    job = read[f"{name}_JOB"] if any(stream.hubs for stream in template.streams) else None  # a run reads hubs
    return FeedSettings(feed, schedule, template, job, daily, recording)


def _daily(feed: Feed, read: Mapping[str, Any]) -> DailySchedule:
    name = feed.name.upper()
    return DailySchedule(ZoneInfo(feed.zone), read.get(f"{name}_LOOKUPS_AT"), read[f"{name}_GOLD_AT"])


def _template(feed: Feed, read: Mapping[str, Any]) -> PlanTemplate:
    name = feed.name.upper()
    return PlanTemplate(
        slice_length=read[f"{name}_SLICE_LENGTH"],
        lead=read[f"{name}_LEAD"],
        grace=read[f"{name}_GRACE"],
        rate=read.get(f"{name}_RATE", 0.0),
        catch_up_rate=read.get(f"{name}_CATCH_UP_RATE", 1.0),
        sources=read.get(f"{name}_SOURCES", ()),
        streams=tuple(stream_plan(stream, read) for stream in feed.streams),
        answers=answers_plans(feed.answers, read),
        options={own.name: read[own.name] for own in feed.settings},
        replay=_replay(name, read) if feed.replay else ReplaySettings(),
    )


def _replay(name: str, read: Mapping[str, Any]) -> ReplaySettings:
    return ReplaySettings(
        lead=read[f"{name}_SECONDS_TO_LEAD"],
        run=read[f"{name}_SECONDS_TO_RUN"],
        speed=read[f"{name}_REPLAY_SPEED"],
        first=read[f"{name}_REPLAY_FROM"],
    )
