"""How late a message is taken from a queue: Azure's task hub looks into its queues only so often."""

import random
import zlib
from dataclasses import dataclass
from datetime import datetime

WORK_ITEMS = "workitems"
_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Polling:
    """Each queue is looked into every `seconds`, at an offset of its own that `seed` fixes; 0 is at once.

    Azure looks more often while messages come; this is the idle hub, where each hop costs up to `seconds`
    (`maxQueuePollingInterval`), and all that has arrived meanwhile is delivered together.
    """

    seconds: float = 0.0
    seed: int = 0

    def wait(self, queue: str, now: datetime) -> float:
        """Give the seconds until `queue` is looked into."""
        if self.seconds <= 0:
            return 0.0
        offset = random.Random(f"{self.seed}/{queue}").random() * self.seconds
        return (offset - now.timestamp()) % self.seconds


def control_queue(instance_id: str) -> str:
    """Name the queue by which an instance is reached; there are four, as by default in Azure."""
    return f"control-{zlib.crc32(instance_id.encode()) % _PARTITIONS}"
