"""Where an alert may be sent: which URLs are taken from settings, and which addresses are never connected to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import SplitResult, urlsplit

HTTPS_PORT: Final = 443


@dataclass(frozen=True, slots=True)
class AlertUrl:
    """A URL that was checked; where its host leads is judged when it is resolved.

    host: in lower case, ASCII, without a trailing dot; an IPv6 address without its brackets. target: path and query,
    which hold the signature, and are shown nowhere. loopback: whether the host may lead to this machine.
    """

    host: str
    port: int
    target: str = field(repr=False)
    loopback: bool = False


def alert_url(text: str, *, hosts: Iterable[str], loopback: bool = False, allow_list: str = "ALERT_HOSTS") -> AlertUrl:
    """Check the URL of a Logic App's trigger, or of whatever else the app posts to on its own.

    hosts: the allow-list, each a host name or `*.suffix` for all names below a suffix. loopback: for one machine only;
    lets 127.0.0.1, [::1] and other ports than 443 pass, where they are on the allow-list too. allow_list: the setting
    that holds it. Raises ValueError with the rule that is broken and without any part of the URL, which is a secret.
    """
    parts = _parts(text)
    host, port = _authority(parts.netloc)
    host = _name_or_loopback(host, loopback=loopback)
    if not any(_covers(entry, host) for entry in hosts):
        raise ValueError(f"its host must be on the allow-list {allow_list}")
    if port != HTTPS_PORT and not loopback:
        raise ValueError("its port must be 443, or left out")
    if not (parts.path + parts.query).isascii():
        raise ValueError("its path and query must be ASCII, with anything else percent-encoded")
    return AlertUrl(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), loopback)


def is_refused_address(ip: IPv4Address | IPv6Address, *, loopback: bool = False) -> bool:
    """Say whether an address may not be connected to: whatever is not a public host's own.

    Private, shared (CGNAT), link-local with the metadata service, multicast, reserved and unspecified ones, Azure's
    168.63.129.16, and IPv6 ones that carry an IPv4 address (6to4, Teredo, NAT64), whatever they carry. A mapped IPv4
    address is judged as what it is. loopback: lets this machine pass, and nothing else.
    """
    bare = ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
    if bare.is_loopback:
        return not loopback
    if isinstance(bare, IPv6Address) and bare not in _GLOBAL_UNICAST:
        return True
    return not bare.is_global or bare.is_multicast or bare == _AZURE_PLATFORM


def _parts(text: str) -> SplitResult:
    # Looked at before it is split, since splitting silently drops some of them.
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("it must have no white space, control characters or backslashes")
    if "#" in text:
        raise ValueError("it must have no fragment (#)")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("it must be a URL like https://host/path") from None
    if parts.scheme != "https" or not parts.netloc:
        raise ValueError("it must begin with https:// and a host")
    return parts


def _authority(netloc: str) -> tuple[str, int]:
    if "@" in netloc:
        raise ValueError("it must have no user name or password (@)")
    found = _AUTHORITY.fullmatch(netloc)
    if not found:
        raise ValueError("it must have a host, and a port of digits or none")
    return found["address"] or found["name"], int(found["port"] or HTTPS_PORT)


def _name_or_loopback(host: str, *, loopback: bool) -> str:
    if loopback and host in _LOOPBACK:
        return host
    name = _normal(host)
    if not name or _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise ValueError("its host must be a name, not an IP address in whatever spelling")
    return name


def _normal(host: str) -> str:
    """Give the one spelling of a host name, or nothing where it is none."""
    try:
        name = host.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        return ""
    return name if _NAME.fullmatch(name) else ""


def _covers(entry: str, host: str) -> bool:
    if host in _LOOPBACK:
        return entry == host
    suffix = _normal(entry.removeprefix(_BELOW))
    return bool(suffix) and (host.endswith(f".{suffix}") if entry.startswith(_BELOW) else host == suffix)


_BELOW = "*."
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_AUTHORITY = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9-]+(?<!-)(?:\.(?!-)[a-z0-9-]+(?<!-))*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_AZURE_PLATFORM = IPv4Address("168.63.129.16")
