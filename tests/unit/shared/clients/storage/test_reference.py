from datetime import UTC, datetime

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.account import Account
from shared.clients.storage.fake import FakeReference
from shared.clients.storage.reference import blob_reference
from shared.errors import Unavailable


def test_nothing_is_dialled_when_the_container_is_named():
    identity = FakeIdentity()

    blob_reference(Account(None, "https://account.blob.example", identity))

    assert identity.scopes == []


def test_the_fake_fails_as_it_is_told():
    reference = FakeReference(lambda: datetime(2026, 11, 22, tzinfo=UTC), failure=Unavailable("down"))

    for verb in (
        lambda: reference.write("a", b""),
        lambda: reference.read("a"),
        lambda: reference.has("a"),
        lambda: reference.newest("a"),
    ):
        with pytest.raises(Unavailable):
            verb()
