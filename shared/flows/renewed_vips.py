"""The web shop's VIPs as its reference data in the lake lists them, read once and again when there is a newer list."""

import logging
from collections.abc import Callable
from datetime import datetime

from shared import telemetry
from shared.clients.storage.drawn_files import DrawnFiles
from shared.errors import Unavailable
from shared.feeds.shop.hub_lines import read_vips
from shared.flows.renewed import Renewed

logger = logging.getLogger(__name__)


def renewed_vips(files: DrawnFiles, path: str, clock: Callable[[], datetime]) -> Renewed[frozenset[int]]:
    """Give the ids of the newest list, a file of JSON lines.

    While there is no list nobody is a VIP, which is told in the log: slow views must not wait for it. Storage that
    can't be asked is another matter: then the list before is used, or the batch comes again.
    """

    def made(edition: tuple[str, ...]) -> frozenset[int]:
        if edition == ("",):
            telemetry.warning(logger, "vips.missing", path=path)
            return frozenset()
        content = files.read(path)
        if content is None:
            raise Unavailable(f"The file {path} was deleted.")
        return read_vips(content)

    return Renewed("VIPs of the web shop", lambda: (files.edition(path),), made, clock)
