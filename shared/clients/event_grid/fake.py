"""Stands in for a topic in tests."""

from dataclasses import dataclass, field

from shared.domain.windows.announcement import Announcement


@dataclass(slots=True)
class FakeTopic:
    """Keeps what is published; raises `failure` instead where it is set."""

    published: list[Announcement] = field(default_factory=list)
    failure: Exception | None = None

    def publish(self, announcement: Announcement) -> None:
        """Keep it, or raise."""
        if self.failure is not None:
            raise self.failure
        self.published.append(announcement)
