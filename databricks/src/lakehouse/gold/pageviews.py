"""What the tables of single pageviews have in common: the columns of a view, as its contract has them."""

from collections.abc import Sequence

from lakehouse.pipelines.table import Column

TIME = "viewed_at"
VIEW = (
    Column("view_id", "string", "the view", of="pageviews.view_id", required=True),
    Column(TIME, "timestamp", "when the page was asked for, UTC", of=f"pageviews.{TIME}", required=True),
    Column("user_id", "long", "the user", of="pageviews.user_id", required=True),
    Column("http_method", "string", "the method of the request", of="pageviews.http_method"),
    Column("uri", "string", "the page", of="pageviews.uri"),
    Column(
        "client_ip", "string", "the address that the request came from; empty where unknown", of="pageviews.client_ip"
    ),
    Column("user_agent", "string", "what the browser calls itself", of="pageviews.user_agent"),
    Column("latency", "long", "milliseconds until the page was answered", of="pageviews.latency"),
)
WINDOW = Column("window_id", "string", "the window of ingestion", of="pageviews.window_id", required=True)


def names_of(columns: Sequence[Column]) -> list[str]:
    """Name columns."""
    return [column.name for column in columns]
