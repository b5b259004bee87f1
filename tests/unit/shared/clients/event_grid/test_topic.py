from datetime import UTC, datetime

import pytest

from shared.clients.event_grid.fake import FakeTopic
from shared.clients.event_grid.topic import EventGridTopic
from shared.clients.identity.fake import FakeIdentity
from shared.domain.windows.announcement import Announcement
from shared.errors import Unavailable

TOLD = Announcement("w", "ADF_Event", "ADF_Trigger_Trades", {}, datetime(2026, 11, 22, tzinfo=UTC))


def test_the_fake_keeps_what_is_published():
    topic = FakeTopic()

    topic.publish(TOLD)

    assert topic.published == [TOLD]


def test_the_fake_fails_as_it_is_told():
    topic = FakeTopic(failure=Unavailable("down"))

    with pytest.raises(Unavailable):
        topic.publish(TOLD)

    assert topic.published == []


def test_nothing_is_dialled_when_the_topic_is_made():
    identity = FakeIdentity()

    EventGridTopic("https://topic.example/api/events", identity)

    assert identity.scopes == []
