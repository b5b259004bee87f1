"""What an exchange is started with."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """Ports of 0 are chosen freely. `rate` is trades a second and symbol in the mean.

    `recording` replaces Coinbase's market by recorded frames; its first match falls on `recording_start`
    (microseconds; None: it waits for `POST /recording`), distances are divided by `speed`. `assets_key` is the key of
    the assets (None: any key is right).
    """

    port: int = 0
    admin_port: int = 0
    certificate: Path | None = None
    seed: int = 7
    rate: float = 20.0
    history_seconds: float = 3_600.0
    recording: Path | None = None
    recording_start: int | None = None
    speed: float = 1.0
    assets_count: int = 2_000
    assets_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what makes no market."""
        if self.speed <= 0:
            raise ValueError(f"speed must be above 0, not {self.speed}")
        if self.assets_count < 0:
            raise ValueError(f"assets_count must be at least 0, not {self.assets_count}")
        if self.rate < 0 or self.history_seconds < 0:
            raise ValueError(f"rate {self.rate} and history_seconds {self.history_seconds} must be at least 0")
