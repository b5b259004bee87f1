"""The platform's ports."""

from dataclasses import astuple

import pytest

from local.platform import ports
from local.platform.ports import Ports, PortTaken, check_free


@pytest.fixture
def taken(monkeypatch):
    held = set()
    monkeypatch.setattr(ports, "is_taken", held.__contains__)
    return held


def test_default_ports_are_the_documented_ones():
    ours = (5671, 20002, 20009, *range(20003, 20009), 20010, 20011)

    assert astuple(Ports()) == (10000, 10001, 10002, 20001, *ours, *range(20012, 20018), 7071, 17071)


def test_free_ports_are_all_left_to_the_services():
    assert set(astuple(Ports.free())) == {0}


def test_taken_port_is_one_line_that_says_which_service_and_what_to_do(taken):
    taken.add(20002)

    with pytest.raises(PortTaken, match=r"^event_hubs_admin needs port 20002 .*--free-ports\.$"):
        check_free(Ports(), frozenset({"event_hubs"}))


def test_port_of_a_service_that_is_not_started_may_be_taken(taken):
    taken.add(7071)

    check_free(Ports(), frozenset({"storage", "entra"}))


def test_ports_that_services_choose_are_never_taken(taken):
    check_free(Ports.free(), frozenset({"storage", "entra", "event_hubs", "exchange", "functions"}))
