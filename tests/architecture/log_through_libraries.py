"""Loads the app as the worker does, speaks through loggers of libraries, and prints what the log got."""

import json
import logging
import sys

LINES: list[str] = []
LOGGERS = (
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.eventhub._pyamqp.aio._cbs_async",
    "azure.eventhub.aio._producer_async",
    "azure.identity.aio._internal.get_token_mixin",
    "azure.storage.blob",
    "azure.data.tables",
    "uamqp.connection",
    "msal.application",
    "urllib3.connectionpool",
    "requests",
    "aiohttp.client",
    "sqlalchemy.engine.Engine",
    "shared.flows.close_window",
    "blueprints.windows",
)


class Kept(logging.Handler):
    """Keeps the line of each record."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        LINES.append(f"{record.name} {record.levelname}")


def main() -> None:
    logging.basicConfig(level=logging.INFO, handlers=[Kept()], force=True)
    import function_app  # noqa: F401 - the worker sets up its log before it loads an app

    LINES.clear()
    for name in LOGGERS:
        logging.getLogger(name).info("said")
        logging.getLogger(name).warning("said")
    sys.stdout.write(json.dumps(LINES))


if __name__ == "__main__":
    main()
