"""The lookups of stores and promotions, read once and again when newer ones are there."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.clients.storage.reference import Reference
from shared.errors import Unavailable
from shared.flows.lookups import folder_of
from shared.flows.renewed import Renewed
from shared.promotions.points import PromotedPlaces

LOOKUPS: Final = ("stores", "promotions_of_stores")


def renewed_places(
    reference: Reference, make: Callable[[bytes, bytes], PromotedPlaces], clock: Callable[[], datetime]
) -> Renewed[PromotedPlaces]:
    """Give the places of the newest lookups.

    make: builds them of the files of stores and of their promotions; raises ValueError for a file that is none.
    """

    def newest() -> tuple[str, ...] | None:
        paths = tuple(path for name in LOOKUPS if (path := reference.newest(folder_of(name))))
        return paths if len(paths) == len(LOOKUPS) else None

    def made(paths: tuple[str, ...]) -> PromotedPlaces:
        stores, promotions = (_read(reference, path) for path in paths)
        return make(stores, promotions)

    return Renewed(f"lookups {' and '.join(LOOKUPS)}", newest, made, clock)


def _read(reference: Reference, path: str) -> bytes:
    content = reference.read(path)
    if content is None:
        raise Unavailable(f"The lookup {path} was deleted.")
    return content
