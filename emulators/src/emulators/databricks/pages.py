"""Lists cut in pages, as `jobs/list` and `runs/list` give them."""

from collections.abc import Mapping, Sequence
from typing import Any

from emulators.databricks.refusals import invalid

_DEFAULT_LIMIT = 20
_TRUE = ("true", "1")
_FALSE = ("false", "0", "")


def page_of(name: str, items: Sequence[Any], query: Mapping[str, str], *, most: int) -> dict[str, Any]:
    """Cut the page that `limit` and `page_token` ask for; an empty list is left out, as Databricks does."""
    limit = number(query, "limit", _DEFAULT_LIMIT)
    if not 1 <= limit <= most:
        raise invalid(f"limit is {limit}; it must be between 1 and {most}.")
    start = number(query, "page_token", 0)
    cut, rest = items[start : start + limit], start + limit < len(items)
    page: dict[str, Any] = {"has_more": rest}
    if cut:
        page[name] = list(cut)
    if rest:
        page["next_page_token"] = str(start + limit)
    if start:
        page["prev_page_token"] = str(max(start - limit, 0))
    return page


def number(query: Mapping[str, str], name: str, default: int | None = None) -> int:
    """Read a whole number of the query; raise Refusal where it is none, or missing without a default."""
    text = query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdecimal():
        raise invalid(f"{name} is {text!r}; a whole number is required.")
    return int(text)


def flag(query: Mapping[str, str], name: str) -> bool:
    """Read a boolean of the query, false where it is missing; raise Refusal where it is none."""
    text = query.get(name, "false").lower()
    if text not in (*_TRUE, *_FALSE):
        raise invalid(f"{name} is {text!r}; true or false is required.")
    return text in _TRUE


def one_of(query: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    """Read one of the known words of the query, empty where it is missing; raise Refusal for another one."""
    text = query.get(name, "")
    if text and text not in known:
        raise invalid(f"{name} is {text!r}; one of {', '.join(known)} is required.")
    return text
