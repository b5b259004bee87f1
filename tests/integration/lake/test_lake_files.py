"""The contract of files in the lake: what holds for blob storage (Azurite) must hold for the fake."""

import io
import itertools
import json

import pyarrow.parquet as pq
import pytest
from azure.storage.blob import BlobServiceClient

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts, TransientError
from shared.clients.storage.account import Account
from shared.clients.storage.fake import FakeLake
from shared.clients.storage.lake_files import CONTAINER, BlobLake, blob_lake
from shared.clients.storage.resources import Resource
from shared.contracts import load_contract
from shared.domain.delivery import Delivery, Event
from shared.errors import LoginRefused, SendFailed
from tests.azurite import running_azurite
from tests.integration.jobs_client.peer import Answer, running_peer

QUICK = RetryPolicy(Timeouts(total=2.0, attempt=1.0, ordinary=Backoff(0.01, 0.03), throttled=Backoff(0.01, 0.03)))
CONTRACT = load_contract("trades/1")
FORMS = ("ndjson", "parquet")
windows = (f"trades-202611{number // 24 + 1:02}T{number % 24:02}0000Z" for number in itertools.count())


class Losing(Resource):
    """Storage that does what it is asked, while the answers to the next `lost` calls of a kind do not arrive."""

    lost, kind = 0, ""

    def call_once(self, verb, seconds, *keep):
        answer = super().call_once(verb, seconds, *keep)
        if self.lost and self.kind in verb.__qualname__:
            self.lost -= 1
            raise TransientError("The answer was lost.")
        return answer


class Fake:
    """The fake, and what a test may do to it."""

    def __init__(self):
        self.lake = FakeLake()

    def fail(self, fate):
        self.lake.fail_next(fate)

    def files(self, folder):
        return {path: content for path, content in self.lake.files.items() if path.startswith(folder)}


class Blobs:
    """The lake in Azurite, and what a test may do to it."""

    def __init__(self, connection):
        self._service = BlobServiceClient.from_connection_string(connection)
        self._container = Losing(
            f"The container {CONTAINER}",
            lambda: self._service.get_container_client(CONTAINER),
            lambda made, limits: made.create_container(**limits),
            "the connection string",
            QUICK,
        )
        self.lake = BlobLake(self._container)

    def fail(self, fate):
        assert fate == "unknown"
        self.lose(1_000, "_commit")

    def lose(self, answers, kind=""):
        self._container.lost, self._container.kind = answers, kind

    def files(self, folder):
        container = self._service.get_container_client(CONTAINER)
        names = [blob.name for blob in container.list_blobs(name_starts_with=folder)]
        return {name: container.download_blob(name).readall() for name in names}


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(params=["fake", "blobs"])
def side(request):
    return Fake() if request.param == "fake" else Blobs(request.getfixturevalue("connection"))


@pytest.fixture
def window():
    return next(windows)


def record(number):
    texts = dict.fromkeys(("venue", "symbol", "base", "quote", "direction", "direction_basis", "origin"), "x")
    times = dict.fromkeys(("timestamp", "received_at"), "2026-11-22T10:00:00.000001Z")
    return texts | times | {"trade_id": number, "price": 0.1, "volume": 2}


def line(number):
    return json.dumps(record(number)).encode()


def events(window, numbers, attempt=1, part="3"):
    return [
        Event(line(number), 1, {"contract": "trades/1", "slice": f"{window}/{part}.{attempt}"}) for number in numbers
    ]


def ids(side, window, form):
    """Read the trade ids of a window back, by the path below its folder."""
    folder = f"landing/trades/window={window}/"
    return {path.removeprefix(folder): _ids(content, form) for path, content in side.files(folder).items()}


def _ids(content, form):
    if form == "parquet":
        return pq.read_table(io.BytesIO(content))["trade_id"].to_pylist()
    return [json.loads(each)["trade_id"] for each in content.splitlines()]


@pytest.mark.parametrize("form", FORMS)
async def test_the_records_of_a_slice_are_one_file(side, window, form):
    async with side.lake.sender(CONTRACT, form) as sender:
        delivery = await sender.send(events(window, range(3))) + await sender.send(events(window, range(3, 5)))

    assert delivery == Delivery(accepted=5, events=5)
    assert ids(side, window, form) == {f"slice=0003/0000.{form}": [0, 1, 2, 3, 4]}


async def test_each_slice_and_the_closing_have_a_file_of_their_own(side, window):
    async with side.lake.sender(CONTRACT) as sender:
        await sender.send([*events(window, [1]), *events(window, [2], part="12"), *events(window, [3], part="close")])

    assert ids(side, window, "ndjson") == {
        "slice=0003/0000.ndjson": [1],
        "slice=0012/0000.ndjson": [2],
        "slice=close/0000.ndjson": [3],
    }


@pytest.mark.parametrize("form", FORMS)
async def test_a_later_attempt_takes_the_place_of_all_that_an_earlier_one_wrote(side, window, form):
    async with side.lake.sender(CONTRACT, form) as sender:
        for number in range(4):
            await sender.send(events(window, [number]))

    async with side.lake.sender(CONTRACT, form) as sender:
        await sender.send(events(window, [0, 1], attempt=2))
        assert ids(side, window, form) == {f"slice=0003/0000.{form}": [0, 1]}
        await sender.send(events(window, [2, 3], attempt=2))

    assert ids(side, window, form) == {f"slice=0003/0000.{form}": [0, 1, 2, 3]}


async def test_an_attempt_that_is_begun_again_under_its_number_begins_anew(side, window):
    for numbers in ([7, 8], [9]):
        async with side.lake.sender(CONTRACT) as sender:
            await sender.send(events(window, numbers, part="close"))

    assert ids(side, window, "ndjson") == {"slice=close/0000.ndjson": [9]}


@pytest.mark.parametrize("first", [[], [0]])
async def test_an_attempt_that_was_given_up_and_still_runs_changes_nothing_any_more(side, window, first):
    async with side.lake.sender(CONTRACT) as slow, side.lake.sender(CONTRACT) as sender:
        await slow.send(events(window, first))
        await sender.send(events(window, [0, 1], attempt=2))

        with pytest.raises(SendFailed, match=r"attempt 2 writes .*, so attempt 1 may not") as caught:
            await slow.send(events(window, [1]))
        await sender.send(events(window, [2], attempt=2))

    assert (caught.value.delivery.accepted, caught.value.delivery.refused) == (0, 0)
    assert ids(side, window, "ndjson") == {"slice=0003/0000.ndjson": [0, 1, 2]}


async def test_what_can_not_be_read_is_refused_and_the_rest_is_written(side, window):
    broken = Event(b"\xff", 1, {"slice": f"{window}/3.1"})
    pack = Event(b"{}", 30, {"slice": f"{window}/3.1", "rows": 30, "encoding": "zstd"})
    homeless = Event(line(9), 1, {"slice": "../3"})

    async with side.lake.sender(CONTRACT) as sender:
        delivery = await sender.send([*events(window, [1]), broken, pack, homeless, *events(window, [2])])

    assert (delivery.accepted, delivery.events, delivery.refused) == (2, 2, 32)
    assert all(refusal.reason for refusal in delivery.refusals)
    assert ids(side, window, "ndjson") == {"slice=0003/0000.ndjson": [1, 2]}


async def test_where_all_is_refused_no_file_is_written(side, window):
    async with side.lake.sender(CONTRACT, "parquet") as sender:
        delivery = await sender.send([Event(b"{}", 1, {"slice": f"{window}/3.1"})])

    assert (delivery.accepted, delivery.refused) == (0, 1)
    assert side.files(f"landing/trades/window={window}") == {}


async def test_records_whose_answer_is_lost_for_good_may_be_stored(side, window):
    async with side.lake.sender(CONTRACT) as sender:
        await sender.send(events(window, [1]))
        side.fail("unknown")
        with pytest.raises(SendFailed) as caught:
            await sender.send(events(window, [2, 3]))

    assert caught.value.delivery == Delivery(unknown=2)


@pytest.fixture
def lake(connection):
    return Blobs(connection)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lost", range(1, 6))
async def test_a_lost_answer_doubles_nothing(lake, window, form, lost):
    async with lake.lake.sender(CONTRACT, form) as sender:
        for number in range(3):
            lake.lose(lost)
            delivery = await sender.send(events(window, [number]))
            assert delivery.accepted == 1

    assert ids(lake, window, form) == {f"slice=0003/0000.{form}": [0, 1, 2]}


async def test_records_that_were_given_up_are_not_in_the_file_once_a_later_send_succeeds(lake, window):
    async with lake.lake.sender(CONTRACT) as sender:
        await sender.send(events(window, [1]))
        lake.fail("unknown")
        with pytest.raises(SendFailed):
            await sender.send(events(window, [2]))
        lake.lose(0)
        await sender.send(events(window, [3]))

    assert ids(lake, window, "ndjson") == {"slice=0003/0000.ndjson": [1, 3]}


async def test_the_container_is_made_at_the_first_write(tmp_path, window):
    with running_azurite(tmp_path) as connection:
        lake = blob_lake(Account(connection, "", FakeIdentity()), QUICK)
        async with lake.sender(CONTRACT) as sender:
            assert (await sender.send(events(window, [1]))).accepted == 1


def elsewhere(connection, peer):
    parts = dict(part.split("=", 1) for part in connection.rstrip(";").split(";"))
    there = ";".join(f"{name}={value}" for name, value in (parts | {"BlobEndpoint": f"{peer.url}/a"}).items())
    return blob_lake(Account(there, "", FakeIdentity()), QUICK)


@pytest.fixture(params=["fake", "peer"])
def silent(request):
    """A lake whose storage does not answer."""
    if request.param == "fake":
        fake = FakeLake()
        fake.fail_next("unavailable")
        return fake
    with running_peer() as peer:
        gone = peer
    return elsewhere(request.getfixturevalue("connection"), gone)


async def test_storage_that_is_away_is_a_failed_send_with_what_was_refused_before(silent, window):
    async with silent.sender(CONTRACT) as sender:
        with pytest.raises(SendFailed, match="The container lake can't be reached") as caught:
            await sender.send([Event(b"nonsense", 1, {"slice": f"{window}/3.1"}), *events(window, [1])])

    assert (caught.value.delivery.refused, caught.value.delivery.unknown) == (1, 0)


@pytest.fixture(params=["fake", "peer"])
def denying(request):
    if request.param == "fake":
        fake = FakeLake()
        fake.fail_next("unauthorized")
        yield fake
        return
    with running_peer(Answer(403, b"")) as peer:
        yield elsewhere(request.getfixturevalue("connection"), peer)


async def test_an_identity_that_is_denied_access_is_a_refused_login(denying, window):
    async with denying.sender(CONTRACT) as sender:
        with pytest.raises(LoginRefused, match="The container lake"):
            await sender.send(events(window, [1]))
