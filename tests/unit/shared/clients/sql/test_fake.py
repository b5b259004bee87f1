import pytest

from shared.clients.sql.fake import FakeCounts
from shared.errors import Unavailable


def test_the_fake_tells_no_table_from_no_counts():
    assert FakeCounts(None).of_window("w") is None
    assert FakeCounts().of_window("w") == {}
    assert FakeCounts({"w": {"trades": {"bronze/records": 3}}}).of_window("w") == {"trades": {"bronze/records": 3}}


def test_the_fake_fails_as_it_is_told():
    with pytest.raises(Unavailable):
        FakeCounts(failure=Unavailable("down")).of_window("w")
