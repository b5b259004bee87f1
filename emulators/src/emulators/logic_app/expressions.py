"""The Workflow Definition Language, as far as the definitions use it: texts are read, and evaluated.

Grammar, escapes and the null rules of `?` follow Microsoft's reference of workflow definition functions, and what its
own engine was seen to do.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

type Functions = Mapping[str, Callable[..., Any]]
"""What may be called, by lower-case name: the language does not tell cases apart."""

type Expression = Literal | Call | Member

_WHOLE, _INNER = "@", "@{"
_ESCAPED_INNER: Final = re.compile(r"(@?)@\{")
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\?\[|\?\.|[\[\](),}.]))"
)
_WORDS: Final = {"true": True, "false": False, "null": None}


class BadExpression(Exception):
    """A text that is no expression of the part of the language that is understood; the message shows where."""


class ExpressionFailed(Exception):
    """An expression that has no value, such as a member of null that is not asked for with `?`."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, boolean or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: Sequence[Expression]


@dataclass(frozen=True, slots=True)
class Member:
    """`target['key']`, `target.key` or `target[0]`; with a `?` before it, null where target or member is not there."""

    target: Expression
    key: Expression
    forgiving: bool


def rendered(value: Any, functions: Functions) -> Any:  # noqa: ANN401 - any JSON value
    """Replace every expression in a JSON value; raises ExpressionFailed."""
    if isinstance(value, Mapping):
        return {key: rendered(item, functions) for key, item in value.items()}
    if isinstance(value, list):
        return [rendered(item, functions) for item in value]
    if not isinstance(value, str):
        return value
    parts = parts_of(value)
    if value.startswith(_WHOLE) and len(parts) == 1 and not isinstance(parts[0], str) and value[1] != "{":
        return value_of(parts[0], functions)
    return "".join(part if isinstance(part, str) else as_text(value_of(part, functions)) for part in parts)


def value_of(expression: Expression, functions: Functions) -> Any:  # noqa: ANN401 - any JSON value
    """Evaluate one expression; raises ExpressionFailed."""
    match expression:
        case Literal(value):
            return value
        case Call(name, arguments):
            return _called(name, functions, [value_of(argument, functions) for argument in arguments])
        case Member(target, key, forgiving):
            return _member(value_of(target, functions), value_of(key, functions), forgiving=forgiving)


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Write a value into a text: null is nothing, a whole number has no fraction, an object or a list is its JSON."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def calls_in(value: Any) -> Iterator[Call]:  # noqa: ANN401 - any JSON value
    """Give every function call in a JSON value, however deep; raises BadExpression."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from calls_in(item)
    elif isinstance(value, str):
        for part in parts_of(value):
            if not isinstance(part, str):
                yield from _calls(part)


@cache
def parts_of(text: str) -> tuple[str | Expression, ...]:
    """Cut a text into plain pieces and expressions; raises BadExpression."""
    if text == _WHOLE:
        return (text,)
    if text.startswith("@@"):
        return (text[1:],)
    if text.startswith(_WHOLE) and not text.startswith(_INNER):
        reader = _Reader(text, 1)
        expression = reader.expression()
        reader.finish()
        return (expression,)
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[str | Expression]:
    """Cut at each `@{…}`; `@@{` is the text `@{`."""
    at, plain = 0, ""
    while found := _ESCAPED_INNER.search(text, at):
        plain += text[at : found.start()]
        at = found.end()
        if found[1]:
            plain += _INNER
            continue
        if plain:
            yield plain
        reader, plain = _Reader(text, at), ""
        yield reader.expression()
        reader.expect("}")
        at = reader.at
    plain += text[at:]
    if plain or not text:
        yield plain


def _calls(expression: Expression) -> Iterator[Call]:
    match expression:
        case Call(_, arguments):
            yield expression
            for argument in arguments:
                yield from _calls(argument)
        case Member(target, key):
            yield from _calls(target)
            yield from _calls(key)


def _called(name: str, functions: Functions, arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return functions[name.lower()](*arguments)
    except TypeError as error:
        raise ExpressionFailed(f"{name} can't be called with {len(arguments)} such arguments: {error}") from error


def _member(target: Any, key: Any, *, forgiving: bool) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(target, Mapping) and key in target:
        return target[key]
    if isinstance(target, list) and type(key) is int and 0 <= key < len(target):
        return target[key]
    if forgiving and (target is None or isinstance(target, Mapping | list)):
        return None
    raise ExpressionFailed(f"there is no property {key!r}")


class _Reader:
    """Reads one expression from a place in a text."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at

    def expression(self) -> Expression:
        read = self._first()
        while (sign := self._peek()) in {"[", "?[", ".", "?."}:
            self._next()
            read = Member(read, self._name() if sign.endswith(".") else self._bracketed(), sign.startswith("?"))
        return read

    def expect(self, sign: str) -> None:
        if self._next() != sign:
            raise self._bad(f"{sign!r} is missing")

    def finish(self) -> None:
        if self._text[self.at :].strip():
            raise self._bad("the expression should end here")

    def _first(self) -> Expression:
        match = _TOKEN.match(self._text, self.at)
        if match is None or match["sign"]:
            raise self._bad("an expression is missing")
        self.at = match.end()
        if match["text"]:
            return Literal(match["text"][1:-1].replace("''", "'"))
        if match["number"]:
            return Literal(int(match["number"]) if match["number"].lstrip("-").isdigit() else float(match["number"]))
        return self._call(match["name"])

    def _bracketed(self) -> Expression:
        key = self.expression()
        self.expect("]")
        return key

    def _name(self) -> Expression:
        match = _TOKEN.match(self._text, self.at)
        if match is None or not match["name"]:
            raise self._bad("the name of a property is missing")
        self.at = match.end()
        return Literal(match["name"])

    def _call(self, name: str) -> Expression:
        if name.lower() in _WORDS:
            return Literal(_WORDS[name.lower()])
        self.expect("(")
        arguments: list[Expression] = []
        while self._peek() != ")":
            if arguments:
                self.expect(",")
            arguments.append(self.expression())
        self.expect(")")
        return Call(name, tuple(arguments))

    def _peek(self) -> str | None:
        match = _TOKEN.match(self._text, self.at)
        return match["sign"] if match else None

    def _next(self) -> str | None:
        match = _TOKEN.match(self._text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match["sign"]

    def _bad(self, complaint: str) -> BadExpression:
        return BadExpression(f"{self._text[:80]!r}: {complaint}, at character {self.at}")
