"""Points that came as lines of text, `latitude:51.1, longitude:0.1,appid:abcde-j1`, as records of gps/1.

Such a line, contract gps/0, does not say when: its time is that at which the hub took the event. A pack of lines is
read line by line where it is not compressed; a compressed one is left as it is, and its contract is not known.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.streams.checking import EXACT
from lakehouse.streams.events import Property, property_of

_STREAM, _TEXT, _RECORD = "gps", "gps/0", "gps/1"
_LINE = r"^\s*latitude\s*:([^,]*),\s*longitude\s*:([^,]*),\s*appid\s*:([^,]*)\z"
_NUMBER = r"^[+-]?([0-9]{1,20}([.][0-9]{0,20})?|[.][0-9]{1,20})\z"
_SPACES = r"^\s+|\s+\z"
_PLAIN = "identity"
_TIME = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"


def with_lines_read(bronze: DataFrame, stream: str) -> DataFrame:
    """Give bronze with each line that can be read as the record that it says; the others are left as they are.

    They keep no contract but gps/1, so its rules say what is wrong with them.
    """
    if stream != _STREAM:
        return bronze
    plain = F.coalesce(property_of(Property.ENCODING), F.lit(_PLAIN)) == _PLAIN
    is_pack = property_of(Property.ROWS).isNotNull()
    is_text = F.coalesce((property_of(Property.CONTRACT) == _TEXT) & (plain | ~is_pack), F.lit(False))
    named = F.map_filter("properties", lambda name, _: name != Property.CONTRACT.value)
    as_record = F.map_concat(named, F.create_map(F.lit(Property.CONTRACT.value), F.lit(_RECORD)))
    return bronze.withColumns(
        {
            "body": F.when(is_text, F.coalesce(F.when(is_pack, _pack()).otherwise(_alone()), F.col("body"))).otherwise(
                F.col("body")
            ),
            "properties": F.when(is_text, as_record).otherwise(F.col("properties")),
        }
    )


def _alone() -> Column:
    return _record(_text()).cast("binary")


def _pack() -> Column:
    """Write each line of a body as a record, and leave those that can't be read as they are."""
    lines = F.transform(F.split(_text(), "\n"), lambda line: F.coalesce(_record(line), line))
    return F.array_join(lines, "\n").cast("binary")


def _text() -> Column:
    """Give the body as text; null where it is none."""
    return F.when(F.is_valid_utf8(F.col("body").cast("string")), F.col("body").cast("string"))


def _record(line: Column) -> Column:
    """Write a line as a record; null where it is no such line. A number that is none is null in it."""
    latitude, longitude, appid = (
        F.regexp_replace(F.regexp_extract(line, _LINE, group), _SPACES, "") for group in (1, 2, 3)
    )
    record = F.concat(
        F.rtrim(F.to_json(F.struct(appid.alias("appid"))), F.lit("}")),
        *[part for name, text in (("latitude", latitude), ("longitude", longitude)) for part in _number(name, text)],
        F.lit(',"time":"'),
        F.date_format("enqueued_at", _TIME),
        F.lit('"}'),
    )
    return F.when(line.rlike(_LINE), record)


def _number(name: str, text: Column) -> tuple[Column, Column]:
    """Write a property; JSON knows neither a sign before a number nor a point without digits on both sides."""
    value = F.when(text.rlike(_NUMBER), text.try_cast(EXACT)).cast("string")
    return F.lit(f',"{name}":'), value
