"""What is printed of a platform."""

import io

from rich.console import Console

from local.platform.banner import print_banner


def printed(running, **console):
    sink = io.StringIO()
    print_banner(Console(file=sink, width=120, **console), running, ending="The end.")
    return sink.getvalue()


def test_plain_output_is_a_line_an_address(running):
    lines = printed(running).splitlines()

    assert ["event_hubs", "amqps", "amqps://localhost:5671"] in [line.split() for line in lines]
    assert ["notification_hubs", "inboxes", "http://127.0.0.1:20015/"] in [line.split() for line in lines]
    assert lines[-1] == "The end."


def test_terminal_gets_a_table(running):
    assert "Local platform" in printed(running, force_terminal=True)


def test_no_secret_is_printed(running):
    shown = printed(running)

    assert "AccountKey" not in shown
    assert not any(client.secret in shown for client in running.identities.clients)
