"""Distances on the globe, and cells of its surface by which places that are near each other are found by equality."""

import math

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

EARTH_RADIUS = 6_371_008.8
"""Mean radius of WGS 84 in metres (IUGG)."""

ROW, COLUMN = "_row", "_column"
"""The two numbers of a cell."""

_DEGREES = 0.005
"""How high a row of cells is, 556 m; they are about as wide. Smaller ones find fewer places in vain, and are more."""

_ROWS = round(180 / _DEGREES)


_NORTHERNMOST, _EASTERNMOST = 90, 180


def is_on_globe(latitude: Column, longitude: Column) -> Column:
    """Say whether there is such a place."""
    return (F.abs(latitude) <= _NORTHERNMOST) & (F.abs(longitude) <= _EASTERNMOST)


def metres_between(latitude: Column, longitude: Column, other_latitude: Column, other_longitude: Column) -> Column:
    """Give the great-circle distance of two places in degrees, by the haversine formula."""
    north, other_north = F.radians(latitude), F.radians(other_latitude)
    east_half = F.sin(F.radians(other_longitude - longitude) / 2)
    half = F.pow(F.sin((other_north - north) / 2), 2) + F.cos(north) * F.cos(other_north) * east_half * east_half
    return 2 * EARTH_RADIUS * F.asin(F.sqrt(F.least(half, F.lit(1.0))))


def degrees_of(reach: Column) -> Column:
    """Give how many degrees of latitude so many metres are, a centimetre more: by so much more as rounding may cost."""
    return F.degrees((reach + 0.01) / EARTH_RADIUS)


def with_cell(rows: DataFrame, latitude: Column, longitude: Column) -> DataFrame:
    """Add the cell that each place lies in."""
    placed = rows.withColumn(ROW, _row(latitude))
    return placed.withColumn(COLUMN, F.pmod(_column(longitude, _columns()), _columns()))


def with_cells(rows: DataFrame, latitude: Column, longitude: Column, reach: Column) -> DataFrame:
    """Give each row once for every cell that holds a place within `reach` metres of it, perhaps for a few more."""
    height = degrees_of(reach)
    of_rows = F.sequence(_row(latitude - height), _row(latitude + height))
    wide = rows.withColumn("_half", _half_width(latitude, F.radians(height))).withColumn(ROW, F.explode(of_rows))
    west, east = (_column(longitude + F.col("_half") * side, _columns()) for side in (-1, 1))
    columns = F.sequence(west, F.least(east, west + _columns() - 1))
    exploded = wide.withColumn(COLUMN, F.explode(columns)).drop("_half")
    return exploded.withColumn(COLUMN, F.pmod(COLUMN, _columns()))


def _row(latitude: Column) -> Column:
    return F.least(F.greatest(F.floor((latitude + 90) / _DEGREES), F.lit(0)), F.lit(_ROWS - 1))


def _columns() -> Column:
    """Count the cells of a row: fewer towards the poles."""
    middle = F.radians((F.col(ROW) + 0.5) * _DEGREES - 90)
    return F.greatest(F.floor(F.cos(middle) * (360 / _DEGREES)), F.lit(1))


def _column(longitude: Column, columns: Column) -> Column:
    """Count columns from 180° west, beyond 180° on to numbers that are not in the row."""
    return F.floor((longitude + 180) / 360 * columns)


def _half_width(latitude: Column, angle: Column) -> Column:
    """Give how many degrees of longitude a circle reaches to either side; one that holds a pole reaches around."""
    centre = F.radians(F.abs(latitude))
    reached = F.degrees(F.asin(F.least(F.sin(angle) / F.cos(centre), F.lit(1.0))))
    return F.when(centre + angle >= math.pi / 2, 180.0).otherwise(reached)
