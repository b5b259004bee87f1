"""What a caller may ask of the spill: the bodies of its two POSTs, and the query of its list."""

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.spill import SPILL_STATES, SpillState
from shared.domain.spill_request import SpillRequest
from shared.errors import RequestRejected
from shared.http.bodies import json_object, known_fields, text

LONGEST_REASON: Final = 400

_WHICH: Final = ("feed", "window", "all")


def parse_redrive_request(body: bytes) -> SpillRequest:
    """Read the body of `POST /api/spill/redrive`: feed, window or all, and `dead`, whether dead ones wait again.

    Raises RequestRejected that names the field and the rule.
    """
    document = json_object(body)
    known_fields(document, (*_WHICH, "dead"))
    return _request(document, ("waiting", "dead") if _flag(document, "dead") else ("waiting",))


def parse_discard_request(body: bytes) -> SpillRequest:
    """Read the body of `POST /api/spill/discard`: feed, window or all, reason, and `waiting`, whether these go too.

    Raises RequestRejected that names the field and the rule.
    """
    document = json_object(body)
    known_fields(document, (*_WHICH, "reason", "waiting"))
    reason = text(document, "reason").strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise RequestRejected.of_field("reason", f"must have 1 to {LONGEST_REASON} characters; it has {len(reason)}")
    return _request(document, ("dead", "waiting") if _flag(document, "waiting") else ("dead",), reason)


def parse_spill_query(query: Mapping[str, str]) -> tuple[SpillRequest, str]:
    """Read the query of `GET /api/spill`: feed, window, state, and after, what `next` of the page before was.

    Raises RequestRejected.
    """
    states = tuple(state for state in SPILL_STATES if state == query.get("state"))
    if "state" in query and not states:
        rule = f"must be one of {', '.join(SPILL_STATES)}; it is {query['state'][:40]!r}"
        raise RequestRejected.of_field("state", rule)
    return SpillRequest(query.get("feed"), query.get("window"), states), query.get("after", "")


def _request(document: Mapping[str, Any], states: tuple[SpillState, ...], reason: str = "") -> SpillRequest:
    given = [field for field in _WHICH if field in document]
    if len(given) != 1:
        rule = f"must be given, and no other of {', '.join(_WHICH)}; {' and '.join(given) or 'none'} is"
        raise RequestRejected.of_field(given[-1] if given else "feed", rule)
    if given == ["all"]:
        if document["all"] is not True:
            raise RequestRejected.of_field("all", "must be true; leave it out and name a feed or window instead")
        return SpillRequest(states=states, reason=reason)
    name = text(document, given[0])
    return SpillRequest(**{"window_id" if given[0] == "window" else "feed": name}, states=states, reason=reason)


def _flag(document: Mapping[str, Any], field: str) -> bool:
    flag = document.get(field, False)
    if not isinstance(flag, bool):
        raise RequestRejected.of_field(field, "must be true or false")
    return flag
