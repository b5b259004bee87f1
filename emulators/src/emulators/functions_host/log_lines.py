"""The host's log: one line per event on standard error, with its fields as key=value and the invocation's id."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from azure_functions_runtime import invocation_id_cv

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS = {
    "trace": logging.DEBUG, "debug": logging.DEBUG, "information": logging.INFO, "warning": logging.WARNING,
    "error": logging.ERROR, "critical": logging.CRITICAL, "none": logging.CRITICAL + 10,
}  # fmt: skip
_NOISY = {"azure": "Warning", "aiohttp": "Warning", "urllib3": "Warning", "asyncio": "Warning"}


def configure_logging(levels: Mapping[str, str]) -> None:
    """Log at host.json's levels: its category names are logger names here, and SDKs are at Warning unless named."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    named = {**_NOISY, **levels}
    logging.basicConfig(level=_level(named.pop("default", "Information")), handlers=[handler], force=True)
    for category, level in named.items():
        logging.getLogger(category).setLevel(_level(level))
    logging.captureWarnings(capture=True)


class LineFormatter(logging.Formatter):
    """Writes `time LEVEL category message key=value ...`; a stack trace follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        stack = fields.pop("stack", "") or (self.formatException(record.exc_info) if record.exc_info else "")
        if invocation := invocation_id_cv.get():
            fields.setdefault("invocation", invocation)
        parts = [time, record.levelname, record.name, record.getMessage()]
        line = " ".join([*parts, *(f"{name}={_text(value)}" for name, value in fields.items())])
        return f"{line}\n{stack.rstrip()}" if stack else line


def _text(value: object) -> str:
    text = str(value)
    return text if text and text.isprintable() and " " not in text and '"' not in text else json.dumps(text)


def _level(name: str) -> int:
    return _LEVELS.get(name.lower(), logging.INFO)
