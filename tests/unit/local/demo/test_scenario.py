from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.demo.scenario import EVERY, HEAD_START, write_script

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def seconds(text):
    hours, minutes, rest = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=rest)


@given(st.integers(0, 86_400))
def test_the_grid_has_a_window_soon_after_the_start_and_not_before(later):
    now = NOON + timedelta(seconds=later)

    offset = seconds(write_script(None).app_settings(now)["TRADES_WINDOW_OFFSET"])

    wait = (offset - (now - datetime(1970, 1, 1, tzinfo=UTC))) % EVERY
    assert HEAD_START - timedelta(seconds=1) <= wait <= HEAD_START


def test_both_feeds_have_the_same_grid():
    settings = write_script(None).app_settings(NOON)

    assert settings["TRADES_WINDOW_OFFSET"] == settings["PAYMENTS_WINDOW_OFFSET"]
    assert settings["TRADES_SOURCES"].startswith("coinbase:BTC-USD,")


def test_a_recordings_products_are_followed(tmp_path):
    recording = tmp_path / "frames.txt"
    recording.write_text(
        '1.0 > {"type":"subscribe"}\n'
        '2.0 < {"type":"last_match","product_id":"YFI-BTC"}\n'
        '3.0 < {"type":"match","product_id":"SKL-USD"}\n'
        '4.0 < {"type":"ticker","product_id":"NU-GBP"}\n',
        encoding="utf-8",
    )

    script = write_script(recording)

    assert script.markets == ("coinbase:SKL-USD", "coinbase:YFI-BTC")
    assert script.exchange_arguments() == ("--recording", str(recording))


def test_a_file_without_matches_is_refused(tmp_path):
    empty = tmp_path / "frames.txt"
    empty.touch()

    with pytest.raises(ValueError, match="no Coinbase match frame"):
        write_script(Path(empty))
