"""Loads the app through Microsoft's azure-functions-runtime, lets timers tick, and prints what sends telemetry."""

import asyncio
import json
import sys
from pathlib import Path

from azure_functions_runtime.otel import otel_manager

from emulators.functions_host.app_worker import Given, execute, load_app
from emulators.functions_host.protos import TypedData

TIMER = TypedData(json=json.dumps({"IsPastDue": False, "ScheduleStatus": None}))


async def main() -> None:
    functions = {each.name: each for each in await load_app(Path.cwd())}
    for name in ("retry_pending_alerts", "write_reference_data", "retry_pending_alerts"):
        outcome = await execute(functions[name], f"id of {name}", Given(TIMER), {})
        assert outcome.error is None, outcome
    loaded = [name for name in sys.modules if name.startswith(("azure.monitor", "opentelemetry"))]
    # The runtime says WorkerOpenTelemetryEnabled to the host where one of both is so (handle_event.py).
    sends = otel_manager.get_otel_libs_available() or otel_manager.get_azure_monitor_available()
    sys.stdout.write(json.dumps({"loaded": loaded, "host_leaves_lines": sends}))


if __name__ == "__main__":
    asyncio.run(main())
