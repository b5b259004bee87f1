"""HTML that is escaped by how it is built: an element's texts and attributes are escaped unless they are elements."""

from html import escape
from typing import Final

_VOID: Final = frozenset({"meta", "input"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """Build an element. In names of attributes `_` is `-`, and one at the end is dropped (`class_`)."""
    given = "".join(
        f' {name.removesuffix("_").replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items()
    )
    if tag in _VOID:
        return Markup(f"<{tag}{given}>")
    return Markup(f"<{tag}{given}>{together(*children)}</{tag}>")


def together(*children: object) -> Markup:
    """Put elements and texts behind each other."""
    return Markup("".join(child if isinstance(child, Markup) else escape(str(child)) for child in children))


def link(text: object, address: str) -> Markup:
    """Link to an address of the web or of this server; any other one is shown as text."""
    if address.startswith(("http://", "https://")) or (address.startswith("/") and not address.startswith("//")):
        return element("a", text, href=address)
    return together(text)


def table(heads: tuple[str, ...], rows: list[tuple[object, ...]]) -> Markup:
    """Build a table with a line of heads."""
    head = element("tr", *(element("th", one) for one in heads))
    return element("table", head, *(element("tr", *(element("td", one) for one in row)) for row in rows))


def page(title: str, *content: object) -> Markup:
    """Build a whole page."""
    head = element("head", element("meta", charset="utf-8"), element("title", title), element("style", Markup(_STYLE)))
    ways = (("windows", "/"), ("metrics", "/metrics"), ("lines", "/lines"), ("tables", "/tables"))
    navigation = element("nav", *(together(link(name, address), " ") for name, address in ways))
    body = element("body", navigation, element("h1", title), *content)
    return Markup(f"<!doctype html>{element('html', head, body, lang='en')}")


_STYLE: Final = (
    "body{font:14px/1.4 system-ui,sans-serif;margin:1em 2em}nav a{margin-right:1em}"
    "table{border-collapse:collapse}td,th{padding:.15em .8em .15em 0;text-align:left;vertical-align:top}"
    "tr+tr{border-top:1px solid #ddd}pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".beside{display:grid;grid-template-columns:3fr 2fr;gap:2em}.bad{color:#b00020}.small{color:#666;font-size:12px}"
    "svg{display:block}form{margin-bottom:1em}form *{margin-right:.5em}"
)
