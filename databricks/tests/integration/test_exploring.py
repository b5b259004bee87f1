"""What people look at first in silver."""

from lakehouse.exploring import amounts_by, blanks, rules_met, values_of

ROWS = [("a", "CHF", 1, ["x"]), ("", "CHF", 3, ["x", "y"]), ("  ", "JPY", None, []), (None, "CHF", 2, None)]


def test_blanks_rules_codes_and_amounts_are_counted(spark):
    rows = spark.createDataFrame(ROWS, "code string, currency string, amount long, cleaned array<string>")

    found = [
        sorted(map(tuple, frame.collect()), key=str)
        for frame in (
            blanks(rows),
            rules_met(rows),
            values_of(rows, "currency"),
            amounts_by(rows, "currency", "amount"),
        )
    ]

    assert found == [
        [("amount", 1, 0), ("cleaned", 1, 0), ("code", 1, 2)],
        [("x", 2), ("y", 1)],
        [("CHF", 3), ("JPY", 1)],
        [("CHF", 3, 1, 2, 3, 6), ("JPY", 1, None, None, None, None)],
    ]
