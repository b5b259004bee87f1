"""`gold.pageviews_vip`: the views of users who are VIPs."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.gold.pageviews import TIME, VIEW, WINDOW
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.table import Table


def build(pageviews: DataFrame, vip_users: DataFrame) -> DataFrame:
    """Take the views whose user is in the lookup."""
    return pageviews.join(F.broadcast(vip_users), F.col("user_id") == F.col("id"), "left_semi")


TABLE = Table(
    name="pageviews_vip",
    comment="Pageviews of VIPs, as the lookup of the view's window has them.",
    columns=(*VIEW, WINDOW),
    key=("view_id",),
    kind=PerRow("pageviews"),
    inputs=("pageviews", "vip_users"),
    build=build,
    sql="pageviews_vip",
    clustered_by=(TIME, "view_id"),
    time=TIME,
)
