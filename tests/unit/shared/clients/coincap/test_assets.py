import pytest

from shared.clients.coincap.fake import FakeAssets
from shared.errors import Unavailable


def test_the_fake_gives_its_documents():
    assets = FakeAssets([b"a", b"b"])

    assert list(assets.pages(20.0)) == [b"a", b"b"]
    assert assets.asked == [20.0]


def test_the_fake_fails_after_what_it_has():
    pages = FakeAssets([b"a"], Unavailable("half")).pages(1.0)

    assert next(pages) == b"a"
    with pytest.raises(Unavailable, match="half"):
        next(pages)
