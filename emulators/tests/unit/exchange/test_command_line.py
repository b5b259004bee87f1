from pathlib import Path

import pytest

from emulators.exchange.__main__ import parse
from emulators.exchange.instants import from_text


def test_every_option_reaches_the_configuration():
    listening = "--port=20003 --admin-port=20004 --certificate=server.pem"
    market = "--seed=3 --rate=50 --history-seconds=60"
    recording = "--recording=frames.txt --recording-start=2026-11-22T10:00:00Z --speed=2"

    config = parse(f"{listening} {market} {recording}".split())

    assert (config.port, config.admin_port, config.certificate) == (20003, 20004, Path("server.pem"))
    assert (config.seed, config.rate, config.history_seconds) == (3, 50, 60)
    assert (config.recording, config.speed) == (Path("frames.txt"), 2)
    assert config.recording_start == from_text("2026-11-22T10:00:00Z")


@pytest.mark.parametrize("arguments", ["--speed 0", "--rate -1", "--recording-start noon"])
def test_a_value_that_makes_no_sense_ends_with_a_line_that_says_so(arguments, capsys):
    with pytest.raises(SystemExit):
        parse(arguments.split())

    assert "error:" in capsys.readouterr().err
