import pytest

from shared.domain.recording import recording_location


def test_a_signature_is_kept_apart_and_shown_nowhere():
    location = recording_location("https://files.example/a/payments.csv.gz?sv=1&sig=hidden")

    assert location.address == "https://files.example/a/payments.csv.gz"
    assert location.query == "sv=1&sig=hidden"
    assert "hidden" not in repr(location)


def test_a_blob_is_named_by_container_and_path():
    location = recording_location("blob:recordings/2013/payments.zip")

    assert (location.kind, location.container, location.path) == ("blob", "recordings", "2013/payments.zip")


def test_a_file_is_named_by_its_whole_path():
    assert recording_location("file:///data/payments.csv").path == "/data/payments.csv"


def test_nothing_is_no_recording():
    assert recording_location(" ") is None


@pytest.mark.parametrize(
    "text",
    [
        "payments.csv",
        "ftp://x/y",
        "blob:payments.csv",
        "https://user@x/y",
        "https://x/y#z",
        "file://host/x",
        "https://x:99999/y",
    ],
)
def test_what_is_no_location_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match=r"^must be") as refused:
        recording_location(text)
    assert text not in str(refused.value)


def test_a_7z_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"unpack it, then pack it as .gz or .zip"):
        recording_location("blob:recordings/payments.7z")
