"""What the command line chooses."""

import argparse

import pytest

from local.platform.commands import choices_of
from local.platform.options import add_start_arguments
from local.platform.ports import Ports


def choices(*words):
    parser = argparse.ArgumentParser()
    add_start_arguments(parser, name="up")
    return choices_of(parser.parse_args(words), with_functions=False)


def test_nothing_said_means_the_documented_ports_and_hubs():
    assert choices().ports == Ports()
    hubs = (
        "calls:4,deliveries:4,gps:4,items:4,orders:4,pageviews:4,promotions:4,stars:4,"
        "surveys:4,trades:4,transactions:10,ura:4"
    )
    assert choices().hubs == hubs


def test_free_ports_are_chosen_on_request():
    assert choices("--free-ports").ports == Ports.free()


def test_recording_is_handed_to_the_exchange_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "frames.txt").touch()
    monkeypatch.chdir(tmp_path)

    assert choices("--recording", "frames.txt").arguments == {"exchange": ("--recording", str(tmp_path / "frames.txt"))}


def test_polling_is_handed_to_the_functions_host():
    assert choices("--polling", "30").arguments == {"functions": ("--polling", "30.0")}


def test_recording_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.txt"):
        choices("--recording", str(tmp_path / "absent.txt"))
