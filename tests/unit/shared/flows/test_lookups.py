import logging
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.storage.fake import FakeReference
from shared.domain.days import DailySchedule
from shared.domain.windows.window import Window
from shared.errors import FeedUnusable, JobRefused, LoginRefused, Unavailable
from shared.flows.lookups import LookupTools, dimension_makers, provide, write_due_lookups
from tests.unit.shared.flows.helpdesk import POOL, clients, drawing, feed

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
TWO = time(2)
MORNING = datetime(2026, 11, 27, 12, tzinfo=UTC)
TEN_MINUTES, HOUR = timedelta(minutes=10), timedelta(hours=1)
PATH = "dim_clientes/20261127.parquet"


class World:
    """A container and the feed's daily lookup; `made` are the days for which rows were asked."""

    def __init__(self, make=clients, drawing=drawing):
        self.reference, self.made = FakeReference(lambda: MORNING), []
        self.make = make
        makers = dimension_makers(feed(self._make), DailySchedule(SAO_PAULO, TWO), drawing)
        self.tools = LookupTools(self.reference, makers)

    def _make(self, pool, day):
        self.made.append(day)
        return self.make(pool, day)

    def rows(self, path=PATH):
        return pq.read_table(BytesIO(self.reference.read(path)))


def window(start):
    return Window("helpdesk", start, start + TEN_MINUTES)


def fails(*_):
    raise ValueError("no rows today")


@pytest.mark.parametrize(
    ("start", "day"),
    [
        (datetime(2026, 11, 27, 2, 50, tzinfo=UTC), date(2026, 11, 26)),
        (datetime(2026, 11, 27, 3, tzinfo=UTC), date(2026, 11, 27)),
        (datetime(2018, 11, 4, 2, 50, tzinfo=UTC), date(2018, 11, 3)),
        (datetime(2018, 11, 4, 3, tzinfo=UTC), date(2018, 11, 4)),
    ],
)
def test_a_window_is_given_the_rows_of_its_day_by_the_clock_of_the_zone(start, day):
    world = World()

    path, note = provide(world.tools, "dim_clientes", window(start))

    assert (path, note) == (f"dim_clientes/{day:%Y%m%d}.parquet", "")
    assert world.rows(path) == clients(POOL, day)


def test_all_windows_of_a_day_share_its_file_which_is_made_once():
    world = World()

    paths = {provide(world.tools, "dim_clientes", window(MORNING + hours * HOUR))[0] for hours in range(5)}

    assert (paths, world.made) == ({PATH}, [date(2026, 11, 27)])


def test_a_file_that_is_there_is_given_as_it_is():
    world = World()
    world.reference.write(PATH, b"PAR1")

    assert provide(world.tools, "dim_clientes", window(MORNING)) == (PATH, "")
    assert (world.made, world.reference.read(PATH)) == ([], b"PAR1")


@pytest.mark.parametrize(
    "failure", [Unavailable("away"), LoginRefused("away"), FeedUnusable("The pool is away: it can't be built.")]
)
def test_where_a_days_file_can_not_be_made_the_newest_one_is_given_with_a_note(failure):
    def refuse(name, drawn):
        raise failure

    world = World(drawing=refuse)
    world.reference.write("dim_clientes/20261125.parquet", b"PAR1")

    path, note = provide(world.tools, "dim_clientes", window(MORNING))

    assert path == "dim_clientes/20261125.parquet"
    assert note == f"The lookup dim_clientes could not be made, {path} is used: {failure}"


def test_a_lookup_that_was_never_made_and_can_not_be_is_refused_with_the_reason():
    with pytest.raises(JobRefused, match=r"no lookup dim_clientes, and none could be made: .* ValueError in "):
        provide(World(fails).tools, "dim_clientes", window(MORNING))


@pytest.mark.parametrize(
    ("now", "path"),
    [
        (datetime(2026, 11, 27, 4, 59, tzinfo=UTC), "dim_clientes/20261126.parquet"),
        (datetime(2026, 11, 27, 5, tzinfo=UTC), PATH),
        (datetime(2026, 11, 28, 4, 59, tzinfo=UTC), PATH),
    ],
)
def test_a_days_file_is_written_from_two_in_the_morning_on_however_late_the_tick(now, path):
    world = World()

    write_due_lookups(world.tools, now)

    assert list(world.reference.blobs) == [path]


@given(ticks=st.lists(st.integers(0, 3 * 24 * 60), min_size=1))
def test_whichever_ticks_are_missed_the_newest_due_day_is_there_and_each_day_was_made_once(ticks):
    world = World()
    start = datetime(2026, 11, 27, 5, tzinfo=UTC)

    for minutes in sorted(ticks):
        write_due_lookups(world.tools, start + timedelta(minutes=minutes))

    due = {date(2026, 11, 27) + timedelta(days=minutes // (24 * 60)) for minutes in ticks}
    assert world.made == sorted(due)
    assert set(world.reference.blobs) == {f"dim_clientes/{day:%Y%m%d}.parquet" for day in due}


def test_of_two_instances_that_tick_at_once_the_file_of_the_first_stays():
    world = World()

    def overtaken(pool, day):
        world.reference.write(PATH, b"the other's")
        return clients(pool, day)

    world.make = overtaken

    write_due_lookups(world.tools, MORNING)

    assert world.reference.read(PATH) == b"the other's"


def test_a_lookup_that_can_not_be_written_is_named_and_costs_no_other(caplog):
    world, other = World(fails), World()
    makers = {**world.tools.makers, "dim_assistentes": other.tools.makers["dim_clientes"]}

    with caplog.at_level(logging.INFO):
        write_due_lookups(replace(world.tools, makers=makers), MORNING)

    assert list(world.reference.blobs) == ["dim_assistentes/20261127.parquet"]
    assert [record.message.partition(" cause=")[0] for record in caplog.records] == [
        f"lookup.not_written path={PATH}",
        "lookup.written path=dim_assistentes/20261127.parquet",
    ]


def in_a_fault(pool, day):
    raise ValueError(f"no e-mail for {pool.columns['nome'].to_pylist()}")


def of_other_types(pool, day):
    table = clients(pool, day)
    return table.set_column(0, "id_cliente", table["nome"])


@pytest.mark.parametrize("make", [clients, in_a_fault, of_other_types])
def test_nothing_of_a_person_is_logged_noted_or_raised(make, caplog):
    world, without = World(make), World(make)
    world.reference.write("dim_clientes/20261101.parquet", b"PAR1")

    with caplog.at_level(logging.DEBUG):
        write_due_lookups(world.tools, MORNING)
        _, note = provide(world.tools, "dim_clientes", window(MORNING))
        try:
            provide(without.tools, "dim_clientes", window(MORNING))
        except JobRefused:
            logging.getLogger("test").exception("refused")

    read = caplog.text + note
    people = clients(POOL, date(2026, 11, 27)).select(["nome", "cpf", "email"])
    assert [value for column in people for value in column.to_pylist() if value in read] == []
    assert "1980-01-0" not in read
    assert "lookup." in read
