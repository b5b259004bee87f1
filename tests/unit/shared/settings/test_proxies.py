"""How the hubs are reached: over AMQP or WebSockets, and through which proxy."""

import pytest

from tests.unit.shared.settings.test_model import problems, read

LOGIN = "me:canary%40Word"
PROXY = f"http://{LOGIN}@proxy.corp.example:3128"


def over_websockets(**changes):
    return read(EVENT_HUBS_TRANSPORT="websockets", **changes).hub


def test_hubs_are_reached_over_amqp_without_a_proxy_by_default():
    hub = read().hub

    assert (hub.transport, hub.proxy) == ("amqp", None)


def test_websockets_go_through_the_proxy_of_the_setting():
    assert over_websockets(EVENT_HUBS_PROXY=f"{PROXY}/").proxy == PROXY


def test_a_proxys_password_is_not_in_what_the_settings_say_of_themselves():
    assert "canary" not in repr(over_websockets(EVENT_HUBS_PROXY=PROXY))


def test_another_word_for_the_transport_is_refused():
    assert "EVENT_HUBS_TRANSPORT must be one of amqp, websockets" in problems(EVENT_HUBS_TRANSPORT="https")


def test_a_proxy_without_websockets_is_refused_with_what_to_do():
    text = problems(EVENT_HUBS_PROXY=PROXY)

    assert "EVENT_HUBS_PROXY is set, and only websockets pass a proxy: set EVENT_HUBS_TRANSPORT to websockets." in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy:3128",
        "socks5://proxy:1080",
        "http://proxy",
        "proxy:3128",
        "http://:3128",
        "http://proxy:port",
        "http://proxy:3128/path",
        f"http://{LOGIN}@proxy:3128?x=1",
        "http://proxy:3128#x",
        "http://pro xy:3128",
    ],
)
def test_what_is_no_address_of_a_proxy_is_refused_without_showing_it(url):
    text = problems(EVENT_HUBS_TRANSPORT="websockets", EVENT_HUBS_PROXY=url)

    assert "EVENT_HUBS_PROXY must be http://<host>:<port>" in text
    assert url not in text


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("url", [PROXY, PROXY.removeprefix("http://")])
def test_websockets_go_through_the_environments_own_proxy(name, url):
    assert over_websockets(**{name: url}).proxy == PROXY


def test_the_proxy_of_the_setting_comes_before_the_environments():
    assert over_websockets(EVENT_HUBS_PROXY=PROXY, HTTPS_PROXY="socks5://other:1").proxy == PROXY


def test_amqp_pays_no_heed_to_the_environments_proxy():
    assert read(HTTPS_PROXY="socks5://other:1").hub.proxy is None


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("hosts", ["*", "name.servicebus.windows.net", "localhost, .servicebus.windows.net"])
def test_hubs_that_the_environment_excepts_are_reached_without_its_proxy(name, hosts):
    assert over_websockets(HTTPS_PROXY=PROXY, **{name: hosts}).proxy is None


def test_the_exception_is_asked_for_the_host_that_is_connected_to():
    gateway = {"EVENT_HUBS__customEndpointAddress": "sb://gateway.corp.example:443", "HTTPS_PROXY": PROXY}

    assert over_websockets(**gateway, NO_PROXY=".servicebus.windows.net").proxy == PROXY
    assert over_websockets(**gateway, NO_PROXY="gateway.corp.example").proxy is None


@pytest.mark.parametrize("url", [f"socks5://{LOGIN}@proxy:1080", "proxy", f"http://{LOGIN}@proxy"])
def test_an_environments_proxy_that_websockets_can_not_use_is_refused_with_the_ways_out(url):
    text = problems(EVENT_HUBS_TRANSPORT="websockets", HTTPS_PROXY=url)

    assert "HTTPS_PROXY must be http://<host>:<port>" in text
    assert "NO_PROXY" in text
    assert "EVENT_HUBS_PROXY" in text
    assert "canary" not in text
