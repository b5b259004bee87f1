"""Rows of SQL tables into the lake, where no Data Factory copies them."""

import azure.durable_functions as df
import azure.functions as func

from shared.flows.export_rows import export_rows
from shared.services import services

bp = df.Blueprint()


@bp.timer_trigger(schedule="40 * * * * *", arg_name="timer", run_on_startup=False)
def export_sql_rows(timer: func.TimerRequest) -> None:  # noqa: ARG001
    """Export the rows that changed of each table for which it is time."""
    export_rows(services().export_tools)
