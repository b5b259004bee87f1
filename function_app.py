"""Registers each blueprint with the host; nothing else."""

import azure.durable_functions as df

from blueprints.ingestion import bp as ingestion
from blueprints.windows import bp as windows

app = df.DFApp()
app.register_functions(ingestion)
app.register_functions(windows)
