import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ncrontab import plain_cron


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("0 * * * * *", "0 * * * * *"),
        ("*/5 * * * *", "0 0,5,10,15,20,25,30,35,40,45,50,55 * * * *"),
        ("0 0 9-11 * * Mon-Fri", "0 0 9,10,11 * * 1,2,3,4,5"),
        ("30 0 0 1 january,Mar sunday", "30 0 0 1 1,3 0"),
        ("0 10/20 * * * 0-6", "0 10,30,50 * * * *"),
        ("0-4/2 0 0 1-31 1-12 *", "0,2,4 0 0 * * *"),
    ],
)
def test_an_ncrontab_is_written_by_plain_numbers(written, plain):
    assert plain_cron(written) == plain


@pytest.mark.parametrize(
    "written",
    [
        "",
        "sometimes",
        "@hourly",
        "0 0 * * * * 2026",
        "* * * *",
        "0 0 0 L * *",
        "0 0 0 15W * *",
        "0 0 0 * * sun#1",
        "0 0 0 ? * *",
        "0 0 0 * * 7",
        "60 * * * * *",
        "0 * 24 * * *",
        "0 0 0 0 * *",
        "0 0 0 * 13 *",
        "0 */0 * * * *",
        "0 9-8 * * * *",
        "0 *-5 * * * *",
        "0 1,,2 * * * *",
        "0 -1 * * * *",
        "0 0 0 * * monda",
        "0 R * * * *",
        "00:05:00",
    ],
)
def test_what_only_other_crons_read_is_refused_with_the_rule(written):
    with pytest.raises(ValueError, match="must be an NCRONTAB of six fields"):
        plain_cron(written)


PIECES = st.sampled_from(["*", "1", "5", "1-5", "*/2", "1/2", "2-4/2", "1,3"])


@given(st.lists(PIECES, min_size=6, max_size=6))
def test_what_is_written_by_plain_numbers_is_an_ncrontab_of_the_same_times(pieces):
    plain = plain_cron(" ".join(pieces))

    assert plain_cron(plain) == plain


@given(st.text().filter(lambda text: len(text.split()) not in (5, 6)))
def test_a_text_of_other_than_five_or_six_fields_is_refused(text):
    with pytest.raises(ValueError, match="NCRONTAB"):
        plain_cron(text)
