"""Registers each blueprint with the host; nothing else."""

import azure.durable_functions as df

from blueprints.enrichment import bp as enrichment
from blueprints.housekeeping import bp as housekeeping
from blueprints.ingestion import bp as ingestion
from blueprints.metrics import bp as metrics
from blueprints.steps import bp as steps
from blueprints.windows import bp as windows

app = df.DFApp()
app.register_functions(enrichment)
app.register_functions(housekeeping)
app.register_functions(ingestion)
app.register_functions(metrics)
app.register_functions(steps)
app.register_functions(windows)
