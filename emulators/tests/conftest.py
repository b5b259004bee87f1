"""What all tests share: steady examples of hypothesis, and the recorded frames where they are at hand."""

from pathlib import Path

import pytest
from hypothesis import settings

# Recordings of venues are kept in a folder beside the repository, not in it.
RECORDING = Path(__file__).parents[3] / "shared/data/recordings/coinbase-exchange-2021-04-17.txt"

# The same examples on every run, and no deadline on a noisy machine.
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def recording_file() -> Path:
    if not RECORDING.exists():
        pytest.skip("the recorded frames are not beside this checkout")
    return RECORDING
