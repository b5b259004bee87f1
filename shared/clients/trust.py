"""Whom clients trust over TLS: the authorities are read once a process, for those of a system cost 30 ms of CPU."""

import ssl
from functools import lru_cache
from pathlib import Path


@lru_cache(4)
def trusted(ca_bundle: str | Path | None) -> ssl.SSLContext:
    """Trust the authorities of a PEM file, None the system's; for any number of threads and loops. Raises OSError."""
    return ssl.create_default_context(cafile=ca_bundle)
