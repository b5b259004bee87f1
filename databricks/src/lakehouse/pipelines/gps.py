"""What becomes of points beyond silver: which stores they are near, and which promotions their users get.

There is no balance: a point is near many stores or none. The app's own streams `promotions` and `deliveries` are of the
feed too, though no slice of a window sends them.
"""

from lakehouse.gold import gps_enriched, promotions_by_place, promotions_by_user
from lakehouse.pipelines.pipeline import Pipeline

PIPELINE = Pipeline(
    feed="gps",
    tables=(gps_enriched.TABLE, promotions_by_user.TABLE, promotions_by_place.TABLE),
    answers=("promotions", "deliveries"),
)
