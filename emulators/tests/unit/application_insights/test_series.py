from emulators.application_insights.series import MOST_POINTS, series_of


def point(value, at=0, *, count=1, name="ingestion.ticks", instance="i1", **dimensions):
    return {
        "Name": name,
        "Properties": dimensions,
        "AppRoleInstance": instance,
        "TimeGenerated": f"2026-11-28T05:{at // 60:02d}:{at % 60:02d}.000000Z",
        "Sum": float(value),
        "ItemCount": count,
    }


def test_a_series_is_a_name_its_dimensions_and_an_instance():
    rows = [
        point(1, feed="trades"),
        point(2, feed="gps"),
        point(3, feed="trades", instance="i2"),
        point(4, name="other"),
        point(5, at=1, feed="trades"),
    ]

    found = {(one.name, *one.dimensions.values(), one.instance): one.values for one in series_of(rows)}

    assert found == {
        ("ingestion.ticks", "gps", "i1"): [2.0],
        ("ingestion.ticks", "trades", "i1"): [1.0, 5.0],
        ("ingestion.ticks", "trades", "i2"): [3.0],
        ("other", "i1"): [4.0],
    }


def test_points_are_in_the_order_of_their_times_and_several_measurements_are_their_mean():
    (series,) = series_of([point(9, at=2), point(3, at=1, count=2)])

    assert (series.values, series.last) == ([1.5, 9.0], 9.0)


def test_only_the_newest_points_are_shown():
    (series,) = series_of([point(at, at) for at in range(MOST_POINTS + 10)])

    assert (len(series.values), series.values[0]) == (MOST_POINTS, 10.0)
