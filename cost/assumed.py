"""What the model takes for granted, because nothing here can measure it; only Azure can correct it."""

from datetime import timedelta
from typing import Final

TRADES_A_SECOND: Final = 10.0
"""Of all markets together: what venues trade is their affair. `make cost ARGS="--trades 25"` sets another."""

CLUSTER_START: Final = timedelta(minutes=4)
"""From the request for a job's cluster until it works; its machine is paid from its beginning."""

RUN_END: Final = timedelta(minutes=2)
"""A run's last passes, gold and counts, after its window's last record."""

RUN_OF_DAY: Final = timedelta(minutes=10)
"""The work of a daily run or of maintenance, beside the start of its cluster."""

RUN_AFTERWARDS: Final = timedelta(minutes=5)
"""The work of a run that reads its window once, when this has ended."""

NODE_DBUS: Final = 1.0
"""DBU an hour of a Standard_D4ds_v5 without Photon."""

LEAST_EXECUTION: Final = timedelta(seconds=1)
"""What an execution on demand is billed as at least; a tick of a timer does not take longer."""

ACTIVITIES_OF_WINDOW: Final = 12
"""Activities and orchestrations of a window and its run beside those of its slices: begin, tell, close, claim…"""

ITEMS_OF_EXECUTION: Final = 6
"""Telemetry of one execution: a request, the host's two lines, the extension's, one of the app."""

POINTS_OF_STREAM: Final = 8
"""Points of metrics that a stream gives each minute while slices run: what became of records, sends, billed events."""

BYTES_OF_ITEM: Final = 1_000
"""Of one such item as Log Analytics bills it."""

LEASES_AND_LOOKS: Final = 8
"""Leases of the task hub's four control queues, renewed as often as the queues are looked at when idle."""

QUEUES: Final = 6
"""That are looked at: four control queues, that of work items, that of the spill."""

WRITES_OF_PASS: Final = 8
"""Blobs that a pass over one stream writes: offsets and commits of its query, data and log of bronze, silver, gold."""
