"""What was measured of a window, compared with SQL, the expected verdict, and the mails."""

from local.demo.volumes import check_volume

COUNTS = {"trades": {"sql": {"Trades": 500, "Others": 3}, "gold": {"Trades": 480}}, "more": {}}
WINDOW = {"id": "trades-20261122T120000Z", "enrichment": {"counts": COUNTS}}
MEASUREMENT = {"rows_count_delta": 500, "verdict": "low", "alert": "sent"}
MAILS = [{"text": "Window trades-20261122T120000Z brought 500 rows."}]


def problems(measurement=MEASUREMENT, expected="low", mails=MAILS):
    return check_volume(WINDOW, "Trades", measurement, expected, mails).problems


def test_a_right_measurement_with_its_mail_has_no_problem():
    assert problems() == ()


def test_other_rows_than_sql_has_are_a_problem():
    assert problems(MEASUREMENT | {"rows_count_delta": 499}) == ("499 rows were measured, 500 are counted in Trades",)


def test_another_verdict_than_expected_is_a_problem_where_one_is_expected():
    assert problems(expected="normal") == ("the volume is judged low, not normal",)
    assert problems(expected=None) == ()


def test_an_alert_without_a_mail_is_a_problem():
    assert problems(mails=[]) == ("its alert was sent, and no mail names the window",)
    assert problems(MEASUREMENT | {"alert": "none"}, mails=[]) == ()
