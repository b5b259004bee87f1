"""Substitutes for the worker's protobuf messages, in the few shapes that azure-functions-runtime reads and writes."""

from typing import Any


class Message:
    """A message with whatever fields it was made with; a field that was not set reads as None."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


class TypedData:
    """One value of one kind: `string`, `json`, `bytes`, `http`, `int`, `double` or a collection.

    It must have no attribute `TypedData`: the runtime asks for one to tell the two layouts it knows apart.
    """

    def __init__(self, **one: object) -> None:
        self.kind: str | None = next(iter(one), None)
        self.value: Any = one.get(self.kind or "")
        self.__dict__.update(one)

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Name the kind that is set."""
        return self.kind


class ParameterBinding:
    """The value of one parameter, by its name."""

    def __init__(self, name: str, data: TypedData | None) -> None:
        self.name = name
        self.data = data

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Name where the value is: always in the message itself, never in shared memory."""
        return "data"


class BindingInfo(Message):
    """A binding's direction, numbered as in FunctionRpc.proto."""

    undefined = 0
    out = 1
    inout = 2


class StatusResult(Message):
    """The outcome of a request, numbered as in FunctionRpc.proto."""

    Failure = 0
    Success = 1


class SameSite:
    """The values of a cookie's SameSite, as the runtime names them; `None` means that none was given."""

    Lax = "Lax"
    Strict = "Strict"
    ExplicitNone = "None"


setattr(SameSite, "None", None)


class RpcHttpCookie(Message):
    """A cookie of an HTTP response."""

    SameSite = SameSite


class Protos:
    """The module of messages that the runtime is handed: known classes, and `Message` for every other name."""

    TypedData = TypedData
    ParameterBinding = ParameterBinding
    BindingInfo = BindingInfo
    StatusResult = StatusResult
    RpcHttpCookie = RpcHttpCookie

    def __getattr__(self, name: str) -> type[Message]:
        if name.startswith("__"):
            raise AttributeError(name)
        return Message
