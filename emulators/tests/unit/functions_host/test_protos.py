import pytest

from emulators.functions_host.protos import Protos, TypedData


def test_any_message_can_be_made_and_an_unset_field_reads_as_none():
    message = Protos().SomeNewMessage(size=1)

    assert (message.size, message.colour) == (1, None)


def test_typed_data_knows_its_kind_and_has_no_inner_typed_data():
    data = TypedData(json="{}")

    assert (data.WhichOneof("data"), data.json) == ("json", "{}")
    assert TypedData().WhichOneof("data") is None
    with pytest.raises(AttributeError):
        _ = data.TypedData
