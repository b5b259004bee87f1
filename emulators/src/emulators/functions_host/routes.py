"""HTTP routes: templates such as `windows/{id:int?}` parsed once, and paths matched against them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from emulators.functions_host.errors import AppRefused

_GUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
_CONSTRAINTS = {
    "int": r"-?\d+", "long": r"-?\d+", "alpha": r"[a-z]+", "bool": r"true|false", "guid": _GUID,
    "double": r"-?\d+(\.\d+)?", "float": r"-?\d+(\.\d+)?", "decimal": r"-?\d+(\.\d+)?",
}  # fmt: skip
_PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\??)\}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a template: a literal, or a parameter with an optional constraint."""

    literal: str = ""
    parameter: str = ""
    constraint: str = ""
    optional: bool = False
    rest: bool = False

    @property
    def rank(self) -> int:
        """Order of precedence: literals, constrained parameters, parameters, the rest of the path."""
        if self.literal:
            return 0
        return 3 if self.rest else 1 if self.constraint else 2

    def accepts(self, text: str) -> bool:
        """Say whether one part of a path fits; letters' case doesn't matter."""
        if self.literal:
            return text.lower() == self.literal.lower()
        return not self.constraint or bool(re.fullmatch(_CONSTRAINTS[self.constraint], text, re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class Route:
    """What a function answers to: no `methods` means all of them, in upper case otherwise."""

    function: str
    segments: tuple[Segment, ...]
    methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class Match:
    """The function that a request is for, and its route parameters."""

    function: str
    parameters: Mapping[str, str]


def parse_route(function: str, template: str, methods: Iterable[str] = ()) -> Route:
    """Parse a template of literals, `{x}`, `{x?}`, `{x:int}` and `{*rest}`.

    Raises AppRefused, naming function and segment, for anything else that ASP.NET Core's templates may hold.
    """
    parts = [part for part in template.strip("/").split("/") if part]
    segments = tuple(_segment(part, function) for part in parts)
    if any(s.rest or s.optional for s in segments[:-1]):
        raise AppRefused(
            f"function {function!r}: route {template!r}: only the last segment may be optional or {{*rest}}"
        )
    return Route(function, segments, frozenset(method.upper() for method in methods))


def find(routes: Sequence[Route], method: str, path: str) -> Match | None:
    """Find the route for a raw (still percent-encoded) path; where several fit, literals beat parameters."""
    parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
    fitting = [r for r in routes if (not r.methods or method.upper() in r.methods) and _fits(r.segments, parts)]
    if not fitting:
        return None
    best = min(fitting, key=lambda route: [segment.rank for segment in route.segments])
    return Match(best.function, _parameters(best.segments, parts))


def _segment(part: str, function: str) -> Segment:
    if "{" not in part and "}" not in part:
        return Segment(literal=part)
    match = _PARAMETER.fullmatch(part)
    if match is None or (match["constraint"] or "int") not in _CONSTRAINTS:
        known = ", ".join(_CONSTRAINTS)
        raise AppRefused(f"function {function!r}: this host can't route by {part!r}; constraints it knows: {known}")
    return Segment("", match["name"], match["constraint"] or "", bool(match["optional"]), bool(match["rest"]))


def _fits(segments: Sequence[Segment], parts: Sequence[str]) -> bool:
    last = segments[-1] if segments else None
    fixed = len(segments) - 1 if last and (last.optional or last.rest) else len(segments)
    if len(parts) < fixed or (len(parts) > len(segments) and not (last and last.rest)):
        return False
    return all(segment.rest or segment.accepts(part) for segment, part in zip(segments, parts, strict=False))


def _parameters(segments: Sequence[Segment], parts: Sequence[str]) -> dict[str, str]:
    values = {s.parameter: p for s, p in zip(segments, parts, strict=False) if s.parameter and not s.rest}
    if segments and segments[-1].rest:
        values[segments[-1].parameter] = "/".join(parts[len(segments) - 1 :])
    return values
