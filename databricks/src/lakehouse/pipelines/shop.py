"""What becomes of the web shop beyond silver: its pageviews looked at in six ways, and what each user did so far.

There is no balance: a view may be in several of these tables, or in none. `pageviews_by_method` and `engagements` count
every row of silver once, by time and by user; windows can't be told apart there.
"""

from lakehouse.gold import (
    engagements,
    first_pageviews,
    pageviews_after_low_stars,
    pageviews_by_method,
    pageviews_high_latency,
    pageviews_vip,
)
from lakehouse.pipelines.pipeline import Pipeline

PIPELINE = Pipeline(
    feed="shop",
    tables=(
        pageviews_by_method.TABLE,
        pageviews_high_latency.TABLE,
        pageviews_high_latency.ENRICHED,
        pageviews_vip.TABLE,
        pageviews_after_low_stars.TABLE,
        first_pageviews.TABLE,
        engagements.TABLE,
    ),
)
