from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.volumes.alert_address import AlertUrl, alert_url, is_refused_address
from tests.hostile_urls import HOSTILE_ADDRESSES, HOSTILE_URLS, HOSTS

GOOD_URL = "https://prod-1.westeurope.logic.azure.com/workflows/1?api-version=1&sig=CANARY-SIGNATURE"
HOST = "prod-1.westeurope.logic.azure.com"


def test_a_logic_apps_url_is_taken_apart():
    url = alert_url(GOOD_URL, hosts=HOSTS)

    assert url == AlertUrl(HOST, 443, "/workflows/1?api-version=1&sig=CANARY-SIGNATURE")


def test_the_corpus_has_sixty_different_urls():
    assert len(set(HOSTILE_URLS)) == 60


@pytest.mark.parametrize("text", HOSTILE_URLS)
def test_a_hostile_url_is_refused(text):
    with pytest.raises(ValueError, match=r"^it"):
        alert_url(text, hosts=HOSTS)


@pytest.mark.parametrize("text", HOSTILE_URLS)
def test_the_reason_of_a_refusal_tells_nothing_of_the_url(text):
    with pytest.raises(ValueError, match="must") as caught:
        alert_url(f"{text}?sig=CANARY-SIGNATURE", hosts=HOSTS)

    assert "CANARY" not in str(caught.value)
    assert "evil" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    [
        f"https://{HOST}:443/",
        f"HTTPS://{HOST.upper()}/",
        f"https://{HOST}./",
        "https://prod-1.westeurope.ｌｏｇｉｃ.azure.com/",
        "https://prod-1。westeurope。logic。azure。com/",
        f"https://{HOST}",
    ],
)
def test_every_spelling_of_an_allowed_host_becomes_the_same(text):
    assert alert_url(text, hosts=HOSTS) == AlertUrl(HOST, 443, "/")


@pytest.mark.parametrize("entry", [HOST, HOST.upper(), f"{HOST}.", "*.AZURE.com", "*.logic.azure.com."])
def test_an_entry_of_the_allow_list_is_a_host_or_a_suffix_in_any_spelling(entry):
    assert alert_url(GOOD_URL, hosts=["other.example", entry]).host == HOST


@pytest.mark.parametrize("entry", ["", "*", "*.", "**", "*logic.azure.com", "prod-*.westeurope.logic.azure.com", "."])
def test_an_entry_that_is_neither_lets_nobody_pass(entry):
    with pytest.raises(ValueError, match="allow-list"):
        alert_url(GOOD_URL, hosts=[entry])


def test_a_name_of_many_languages_is_compared_in_its_ascii_form():
    assert alert_url("https://bücher.example/", hosts=["xn--bcher-kva.example"]).host == "xn--bcher-kva.example"


@pytest.mark.parametrize(("text", "host"), [("https://127.0.0.1:8443/x", "127.0.0.1"), ("https://[::1]:8443/x", "::1")])
def test_this_machine_is_taken_where_it_is_allowed_and_listed(text, host):
    assert alert_url(text, hosts=[host], loopback=True) == AlertUrl(host, 8443, "/x", loopback=True)


@pytest.mark.parametrize("hosts", [[], ["*.logic.azure.com"], ["*.0.0.1"]])
def test_this_machine_must_be_on_the_allow_list_by_name(hosts):
    with pytest.raises(ValueError, match="allow-list"):
        alert_url("https://127.0.0.1:8443/x", hosts=hosts, loopback=True)


@pytest.mark.parametrize("host", ["127.1", "127.0.0.2", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "10.0.0.1"])
def test_no_other_address_is_taken_where_this_machine_is_allowed(host):
    with pytest.raises(ValueError, match="not an IP address"):
        alert_url(f"https://{host}/", hosts=[host, "*.1", "127.0.0.1"], loopback=True)


@given(st.ip_addresses())
def test_an_address_is_never_a_host_however_the_allow_list_reads(ip):
    host = f"[{ip}]" if ip.version == 6 else f"{ip}"

    with pytest.raises(ValueError, match="not an IP address"):
        alert_url(f"https://{host}/", hosts=[f"{ip}", host, *(f"*.{number}" for number in range(256))])


def test_a_target_that_is_not_ascii_is_refused():
    with pytest.raises(ValueError, match="percent-encoded"):
        alert_url(f"https://{HOST}/wörkflows", hosts=HOSTS)


def test_a_url_shows_nothing_of_its_signature():
    assert "CANARY" not in repr(alert_url(GOOD_URL, hosts=HOSTS))


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_an_address_that_is_not_public_is_refused(address):
    assert is_refused_address(ip_address(address))


@pytest.mark.parametrize("address", ["20.50.1.2", "13.69.227.3", "2603:1020:201::1", "2a01:111::5", "::ffff:20.50.1.2"])
def test_a_public_address_is_not_refused(address):
    assert not is_refused_address(ip_address(address))


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_where_this_machine_is_allowed_nothing_else_is(address):
    ours = {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}

    assert is_refused_address(ip_address(address), loopback=True) == (address not in ours)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_a_refused_address_stays_refused_in_every_form_that_carries_it(ip):
    carried = [f"::ffff:{ip}", f"64:ff9b::{ip}", f"::{ip}", f"2002:{ip.packed[:2].hex()}:{ip.packed[2:].hex()}::"]

    assert all(is_refused_address(ip_address(address)) for address in carried)
