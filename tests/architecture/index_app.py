"""Loads the app through Microsoft's azure-functions-runtime, one app per process, and prints what was indexed."""

import asyncio
import json
import sys
from pathlib import Path

from emulators.functions_host.app_worker import load_app
from emulators.functions_host.bindings import check_bindings


def main() -> None:
    functions = asyncio.run(load_app(Path.cwd()))
    check_bindings(functions, ["timerTrigger", "eventGridTrigger", "queueTrigger", "eventHubTrigger"])
    sys.stdout.write(json.dumps({function.name: list(function.bindings) for function in functions}))


if __name__ == "__main__":
    main()
