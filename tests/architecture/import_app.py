"""Imports the app and prints what its import did to the world: sockets opened, files written, variables read."""

import json
import os
import sys
import threading
from types import FrameType
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_URLLIB3_PROBE = "urllib3/util/connection.py"  # asks at its import whether a socket can be bound to ::1

seen: dict[str, set[str]] = {"sockets": set(), "writes": set(), "reads": set()}


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("socket.") and not _probed(sys._getframe()):
        seen["sockets"].add(event)
    if event == "open" and arguments[2] & _WRITING and arguments[0] != os.devnull:
        seen["writes"].add(os.fsdecode(arguments[0]))


class WatchedEnvironment(type(os.environ)):
    """The environment, which remembers the names it was asked for; `os.getenv` and `in` ask it too."""

    def __getitem__(self, name: str) -> str:
        seen["reads"].add(os.fsdecode(name))
        return super().__getitem__(name)


def _probed(frame: FrameType | None) -> bool:
    while frame and not frame.f_code.co_filename.endswith(_URLLIB3_PROBE):
        frame = frame.f_back
    return frame is not None


def main() -> None:
    os.environ.__class__ = WatchedEnvironment
    sys.addaudithook(audit)
    import function_app  # noqa: F401 - its import is what is watched

    threads = [thread.name for thread in threading.enumerate()]
    packages = sorted({name.partition(".")[0] for name in sys.modules})
    found = {name: sorted(names) for name, names in seen.items()}
    modules = sorted(sys.modules)
    sys.stdout.write(json.dumps(found | {"threads": threads, "packages": packages, "modules": modules}))


if __name__ == "__main__":
    main()
