"""Microsoft's clients in other languages, over each transport: what they are told where the hub refuses."""

import pytest

from tests.integration.event_hubs.clients.conftest import LIMIT, LISTENER, refused, shared
from tests.integration.event_hubs.conftest import POLICY

LIMIT_IN_WORDS = {"javascript": str(LIMIT), "java": "1024 kb"}
"""Java's client measures before it sends, and says it in its own words; JavaScript's leaves it to the hub."""


def test_a_message_too_large_is_refused_with_the_limit_and_the_client_goes_on(program, way, hub, name, last):
    failed = refused(lambda: program.send(b"x" * 1_100_000, partition="2"))
    program.send(b"small", partition="2")

    assert failed.condition == "amqp:link:message-size-exceeded"
    assert LIMIT_IN_WORDS[way[0]] in failed.message
    assert hub.partition(name, "2")["last_sequence_number"] == last[2] + 1


REFUSALS = {
    "a partition, sending": (lambda one: one.send(b"a", partition="9"), "com.microsoft:argument-out-of-range", "'9'"),
    "a partition, reading": (
        lambda one: one.receive("9", 1, earliest=True),
        "com.microsoft:argument-out-of-range",
        "It should be between 0 and 5",
    ),
    "a partition, its properties": (
        lambda one: one.ask("partition", partition="9"),
        "com.microsoft:argument-out-of-range",
        "'9'",
    ),
    "a group": (lambda one: one.receive("0", 1, group="nobody", earliest=True), "amqp:not-found", "'nobody'"),
}


WITHOUT_CONDITION = {("java", "a partition, its properties")}
"""Of a status 400 on `$management` Java's client makes an IllegalArgumentException, which has no condition."""


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_not_there_is_refused_by_name(program, way, case):
    asking, condition, named = REFUSALS[case]

    failed = refused(lambda: asking(program))

    assert failed.condition == (None if (way[0], case) in WITHOUT_CONDITION else condition)
    assert named in failed.message


@pytest.mark.parametrize(
    "asking",
    [lambda one: one.send(b"a"), lambda one: one.receive("0", 1, earliest=True), lambda one: one.ask("properties")],
    ids=["sending", "reading", "properties"],
)
def test_a_hub_that_is_not_there_is_refused_by_name(connect, asking):
    failed = refused(lambda: asking(connect(shared(POLICY), hub="nowhere")))

    assert failed.condition == "amqp:not-found"
    assert "'nowhere' could not be found" in failed.message


@pytest.mark.parametrize("where", [{}, {"partition": "0"}], ids=["hub", "partition"])
def test_a_policy_without_the_right_is_refused_by_name(connect, where):
    failed = refused(lambda: connect(shared(LISTENER)).send(b"a", **where))

    assert failed.condition == "amqp:unauthorized-access"
    assert "Policy listener may not send" in failed.message


@pytest.mark.parametrize(
    "asking",
    [lambda one: one.send(b"a"), lambda one: one.receive("0", 1, earliest=True), lambda one: one.ask("properties")],
    ids=["sending", "reading", "properties"],
)
def test_a_wrong_key_is_refused_with_the_reason(connect, asking):
    failed = refused(lambda: asking(connect(shared(POLICY) | {"key": "wrong"})))

    assert failed.condition == "amqp:unauthorized-access"
    assert "does not match its key" in failed.message


def test_a_busy_hub_is_told_and_takes_events_again_afterwards(program, hub, name, last):
    hub.admin("POST", "/faults", {"kind": "reject_busy", "hub": name, "next": 1})

    failed = refused(lambda: program.send(b"a", partition="5"))
    program.send(b"a", partition="5")

    assert failed.condition == "com.microsoft:server-busy"
    assert "throttled" in failed.message
    assert hub.partition(name, "5")["last_sequence_number"] == last[5] + 1


def test_a_hub_over_its_throughput_units_is_busy_until_they_are_lifted(program, hub):
    hub.admin("POST", "/throttle", {"units": 0.05})
    program.ask("fill", bytes=500, partition="5")

    failed = refused(lambda: program.send(b"a", partition="5"))
    hub.admin("POST", "/throttle", {"units": None})
    program.send(b"a", partition="5")

    assert failed.condition == "com.microsoft:server-busy"
