"""Through which proxy the hubs are reached: the one that a setting names, or the environment's for `https`."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # typeshed leaves it out

from shared.domain import setting

HUB_PROXY: Final = "HTTPS_PROXY"
"""Under which the environment's own proxy stands among the read settings; None where the hubs do not go through it."""

_FORM: Final = "must be http://<host>:<port> or http://<user>:<password>@<host>:<port>, and nothing after it"


def proxy(value: str) -> str | None:
    """Read the address of a proxy, which may hold a user and a password; blank is None."""
    url = value.strip()
    if not url:
        return None
    parts = setting.split_url(url, _FORM)
    if parts.scheme != "http" or not parts.hostname or not parts.port or not url.isprintable() or " " in url:
        raise ValueError(_FORM)
    if parts.path.strip("/") or "?" in url or "#" in url:
        raise ValueError(_FORM)
    return url.rstrip("/")


def environments_proxy(environment: Mapping[str, str], read: Mapping[str, Any]) -> str | None:
    """Find the proxy that the environment has for the hubs: `HTTPS_PROXY`, unless `NO_PROXY` names their host.

    Names in small letters come first, and a proxy without a scheme is one of http, as for every HTTP client. Only
    WebSockets go through it: AMQP passes no proxy, and whoever allows it needs none.
    """
    url = _either(environment, "HTTPS_PROXY")
    if not url or read["EVENT_HUBS_TRANSPORT"] != "websockets" or read["EVENT_HUBS_PROXY"]:
        return None
    endpoint = read["EVENT_HUBS__customEndpointAddress"]
    host = (urlsplit(endpoint).hostname if endpoint else read["EVENT_HUBS__fullyQualifiedNamespace"]) or ""
    if proxy_bypass_environment(host, {"no": _either(environment, "NO_PROXY")}):
        return None
    return url if "://" in url else f"http://{url}"


def proxy_rules(read: Mapping[str, Any]) -> list[str]:
    """Refuse a proxy without WebSockets, and one of the environment that can't be used; neither is shown."""
    if read["EVENT_HUBS_PROXY"] and read["EVENT_HUBS_TRANSPORT"] != "websockets":
        return ["EVENT_HUBS_PROXY is set, and only websockets pass a proxy: set EVENT_HUBS_TRANSPORT to websockets."]
    try:
        proxy(read[HUB_PROXY] or "")
    except ValueError as error:
        way_out = "Name the hubs' host in NO_PROXY, or set EVENT_HUBS_PROXY, if they are reached in another way."
        return [f"HTTPS_PROXY {error}. {way_out}"]
    return []


def _either(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name.lower()) or environment.get(name) or "").strip()
