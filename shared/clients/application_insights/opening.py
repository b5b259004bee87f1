"""Starts sending to Application Insights; the exporter, which costs a quarter of a second, is imported then."""

from datetime import timedelta

from shared.clients.identity.credentials import Identity
from shared.signals.recording import Configured


def export_to_insights(
    connection: str,
    identity: Identity | None,
    *,
    role: str,
    every: timedelta,
    ca_bundle: str | None,
    configured: Configured,
) -> None:
    """Send all that the app says from now on; see `InsightsAccount` for the arguments."""
    from shared.clients.application_insights.exporting import InsightsAccount, start_exporting  # noqa: PLC0415

    start_exporting(InsightsAccount(connection, identity, role, every, ca_bundle), configured)
