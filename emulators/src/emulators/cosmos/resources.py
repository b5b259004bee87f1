"""What a path of the REST API names: `/dbs/payments/colls/transactions/docs/42`."""

from dataclasses import dataclass

from emulators.cosmos.refusals import bad_request

_KINDS = ({"dbs"}, {"colls"}, {"docs", "pkranges"})


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for.

    kind: empty for the account. link: as it is signed, with the resource's own name if it has one. names: of the
    database, the container and the item, as far as the path has them.
    """

    kind: str
    link: str
    names: tuple[str, ...]

    @property
    def container_path(self) -> str:
        """Give the path of the container."""
        database, container = self.names[:2]
        return f"/dbs/{database}/colls/{container}"


def read_path(path: str) -> Resource:
    """Read a path without percent signs; raises Refusal for one that names nothing known."""
    parts = [part for part in path.split("/") if part]
    if not all(part in known for part, known in zip(parts[::2], _KINDS, strict=False)) or len(parts) > 6:  # noqa: PLR2004
        raise bad_request(f"The path {path[:200]!r} names no kind of resource that this emulator has.")
    names = tuple(parts[1::2])
    return Resource(parts[-1] if len(parts) % 2 else "".join(parts[-2:-1]), _link(parts), names)


def _link(parts: list[str]) -> str:
    return "/".join(parts[:-1] if len(parts) % 2 else parts)
