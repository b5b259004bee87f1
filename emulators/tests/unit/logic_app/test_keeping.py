"""What lies on the disk: mails, entities and the key of the signatures."""

from datetime import UTC, datetime

import pytest

from emulators.logic_app.connectors import Connectors
from emulators.logic_app.outbox import Outbox, text_of
from emulators.logic_app.signatures import kept_signer
from emulators.logic_app.tables import Tables

NOW = datetime(2026, 11, 22, 10, 1, tzinfo=UTC)
PLACE = "/v2/storageAccounts/acc%2520ount/tables/seen/entities"


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path, lambda: NOW)


@pytest.fixture
def connectors(tmp_path, outbox):
    tables = Tables(tmp_path / "tables.sqlite")
    yield Connectors(tables, outbox)
    tables.close()


def test_a_mail_is_a_file_that_can_be_read_back(outbox):
    outbox.put("a@b.example", "Größe", "<p>one &lt;two&gt;</p><p>three</p>")

    (mail,) = outbox.mails()
    assert (mail.file, mail.to, mail.subject) == ("0001.eml", "a@b.example", "Größe")
    assert mail.text == "one <two>\nthree\n"
    assert mail.date == "Sun, 22 Nov 2026 10:01:00 +0000"


def test_mails_keep_their_order_also_past_a_restart(outbox, tmp_path):
    for number in range(2):
        outbox.put("a@b.example", str(number), "<p>x</p>")
    Outbox(tmp_path, lambda: NOW).put("a@b.example", "2", "<p>x</p>")

    assert [mail.subject for mail in outbox.mails()] == ["0", "1", "2"]


def test_markup_is_left_out_of_the_text():
    assert text_of("<p>a<b>b</b></p><ul><li>c</li></ul>d") == "ab\nc\nd\n"


def test_a_header_that_would_be_two_is_refused(connectors, outbox):
    mail = {"To": "a@b.example", "Subject": "x\nBcc: c@d.example", "Body": ""}

    assert connectors.call("office365", "post", "/v2/Mail", mail).status == 400
    assert list(outbox.mails()) == []


def test_an_entity_is_there_once_by_the_keys_of_its_path(connectors):
    entity = {"PartitionKey": "trades", "RowKey": "a:b|c"}
    path = f"{PLACE}(PartitionKey='trades',RowKey='a%3Ab%7Cc')"

    before = connectors.call("azuretables", "get", path, None).status
    inserted = [connectors.call("azuretables", "post", PLACE, entity).status for _ in range(2)]

    assert (before, inserted) == (404, [201, 409])
    assert connectors.call("azuretables", "get", path, None).body == entity


def test_entities_outlive_a_restart(tmp_path):
    for expected in (True, False):
        tables = Tables(tmp_path / "tables.sqlite")
        assert tables.insert("a", "t", {"PartitionKey": "p", "RowKey": "r"}) is expected
        tables.close()


def test_an_operation_that_is_not_known_is_not_found(connectors):
    assert connectors.call("office365", "post", "/v2/Calendar", {}).status == 404


def test_a_signature_is_that_of_one_workflow_and_the_same_after_a_restart(tmp_path):
    path = tmp_path / "key"
    signature = kept_signer(path).sign("one", "manual")

    again = kept_signer(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert again.accepts("one", "manual", signature)
    assert not again.accepts("two", "manual", signature)
    assert not again.accepts("one", "other", signature)
    assert "key" not in repr(again)
