"""The host's log: one line per event on standard error, with its fields as key=value and the invocation's id.

The app's lines are those of any other logger, an SDK's too: in Azure they all have the category `Function.<name>.User`,
whatever their logger's name, and one that belongs to no invocation is dropped. So it is here.
"""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from emulators.functions_host.invocations import current_invocation

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS = {
    "trace": logging.DEBUG, "debug": logging.DEBUG, "information": logging.INFO, "warning": logging.WARNING,
    "error": logging.ERROR, "critical": logging.CRITICAL, "none": logging.CRITICAL + 10,
}  # fmt: skip
_CATEGORIES = ("Host", "Function")
_OWN = (*_CATEGORIES, "emulators", "aiohttp", "asyncio", "py.warnings")
_WORKERS = "azure.functions"
_USER = "Function"


def configure_logging(levels: Mapping[str, str]) -> None:
    """Log at host.json's levels; the names in it are categories, and rule no logger of the app or of an SDK."""
    default = _level(levels.get("default", "Information"))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    handler.addFilter(UserLines(_level(levels[_USER]) if _USER in levels else default))
    # Azure's worker sets its root logger to INFO, whatever host.json says.
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for category in _CATEGORIES:
        logging.getLogger(category).setLevel(default)
    for category, level in levels.items():
        if _is_below(category, *_CATEGORIES):
            logging.getLogger(category).setLevel(_level(level))
    logging.captureWarnings(capture=True)


class UserLines(logging.Filter):
    """Lets through what the host's own loggers say, and of the app's what its level allows and Azure would keep."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record is written; the worker's own lines are no telemetry of the app."""
        if _is_below(record.name, *_OWN):
            return True
        if _is_below(record.name, _WORKERS):
            return record.levelno >= logging.WARNING
        return record.levelno >= self._level and current_invocation() is not None


class LineFormatter(logging.Formatter):
    """Writes `time LEVEL category message key=value ...`; a stack trace follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        stack = fields.pop("stack", "") or (self.formatException(record.exc_info) if record.exc_info else "")
        if invocation := current_invocation():
            fields.setdefault("invocation", invocation)
        parts = [time, record.levelname, record.name, record.getMessage()]
        line = " ".join([*parts, *(f"{name}={_text(value)}" for name, value in fields.items())])
        return f"{line}\n{stack.rstrip()}" if stack else line


def _text(value: object) -> str:
    text = str(value)
    return text if text and text.isprintable() and " " not in text and '"' not in text else json.dumps(text)


def _is_below(name: str, *roots: str) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _level(name: str) -> int:
    return _LEVELS.get(name.lower(), logging.INFO)
