"""Registers each blueprint with the host, and lets libraries tell what is wrong alone; nothing else."""

import azure.durable_functions as df

from blueprints.daily import bp as daily
from blueprints.enrichment import bp as enrichment
from blueprints.housekeeping import bp as housekeeping
from blueprints.ingestion import bp as ingestion
from blueprints.metrics import bp as metrics
from blueprints.promotions import bp as promotions
from blueprints.spill import bp as spill
from blueprints.steps import bp as steps
from blueprints.windows import bp as windows
from shared.telemetry import quieten_libraries

quieten_libraries()

app = df.DFApp()
for blueprint in (daily, enrichment, housekeeping, ingestion, metrics, promotions, spill, steps, windows):
    app.register_functions(blueprint)
