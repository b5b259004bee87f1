import pytest
from sqlalchemy.pool import NullPool

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Clock, RetryPolicy, Timeouts
from shared.clients.sql.answers import BY_NUMBER
from shared.clients.sql.counts import SqlCounts
from shared.clients.sql.database import ValuesRefused, sql_database
from shared.clients.sql.odbc import SCOPE, Server, odbc_connection, token_bytes
from shared.domain.failures import FailureKind
from shared.errors import Denied, LoginRefused, ServiceRefused, SettingsError, Unavailable

UNAUTHORIZED = FailureKind.UNAUTHORIZED
DRIVER_17, DRIVER_18 = "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server"


class Odbc:
    """What SQLAlchemy and the client touch of pyodbc; connecting fails as told."""

    Error = type("Error", (Exception,), {})
    ProgrammingError = type("ProgrammingError", (Error,), {})
    Cursor = object
    paramstyle, version, apilevel = "qmark", "5.2.0", "2.0"
    pooling = True

    def __init__(self, failure=None, drivers=(DRIVER_17, DRIVER_18)):
        self.failure, self._drivers, self.calls = failure, drivers, []

    def drivers(self):
        return list(self._drivers)

    def connect(self, text, **options):
        self.calls.append((text, options))
        raise self.failure


def azure(odbc, identity=None):
    passed = [0.0]
    clock = Clock(lambda: sum(passed), passed.append, jitter=lambda: 0.5)
    url, retry = "mssql://sql.example/trades", RetryPolicy(Timeouts(total=3.0, attempt=1.0), clock)
    return SqlCounts(sql_database(url, identity or FakeIdentity(), retry=retry, odbc=lambda: odbc))


def test_azure_sql_is_connected_to_with_a_fresh_token_and_deadlines():
    odbc, identity = Odbc(Odbc.Error("28000", "no")), FakeIdentity(value="t0ken")

    with pytest.raises(LoginRefused):
        azure(odbc, identity).of_window("w")

    text, options = odbc.calls[0]
    assert text == odbc_connection(Server("sql.example", 1433, "trades"), DRIVER_18)
    assert options == {"attrs_before": {1256: token_bytes("t0ken")}, "timeout": 5}
    assert identity.scopes == [SCOPE]
    assert odbc.pooling is False


def test_no_connection_to_azure_sql_is_kept_which_would_keep_the_database_awake():
    database = sql_database("mssql://sql.example/trades", FakeIdentity(), odbc=Odbc)

    assert isinstance(database._made().pool, NullPool)


def test_a_refused_login_is_final_and_named():
    odbc = Odbc(Odbc.Error("28000", "Login failed for user '<token-identified principal>'."))

    with pytest.raises(LoginRefused, match=r"sql\.example refused the login.*Login failed"):
        azure(odbc).of_window("w")

    assert len(odbc.calls) == 1


def test_a_database_that_wakes_up_is_asked_again_until_patience_ends():
    odbc = Odbc(Odbc.Error("HY000", "Database is not currently available. (40613)"))

    with pytest.raises(Unavailable, match=r"40613.*tries: 4"):
        azure(odbc).of_window("w")

    assert len(odbc.calls) == 4


PASSING = {number: kind for number, kind in BY_NUMBER.items() if kind.may_pass}


def azure_words(number, state="42000"):
    return Odbc.Error(state, f"[{state}] [Microsoft][ODBC Driver 18 for SQL Server]Words. ({number}) (SQLExecDirectW)")


@pytest.mark.parametrize(("number", "kind"), PASSING.items())
def test_an_error_that_passes_is_known_by_its_number(number, kind):
    odbc = Odbc(azure_words(number))

    with pytest.raises(Unavailable, match=r"tries: \d") as caught:
        azure(odbc).of_window("w")

    assert len(odbc.calls) > 1
    assert caught.value.kind is kind


def test_an_error_that_comes_as_the_first_transaction_is_begun_is_known_by_its_number_too():
    odbc = Odbc(Odbc.Error("42000", "[42000] [Microsoft]Words. (40613) (SQLSetConnectAttr(SQL_ATTR_AUTOCOMMIT))"))

    with pytest.raises(Unavailable, match="tries: 4"):
        azure(odbc).of_window("w")


def test_what_the_faults_of_november_named_is_tried_again():
    assert {3906, 6005, 40613, 40197, 40501, 10928, 10929, 1205, 4060, *range(49918, 49921)} <= PASSING.keys()


@pytest.mark.parametrize("state", ["08001", "08S01", "HYT00", "HYT01", "40001"])
def test_an_error_that_passes_is_known_by_its_state(state):
    odbc = Odbc(Odbc.Error(state, f"[{state}] [Microsoft]Words. (0) (SQLDriverConnect)"))

    with pytest.raises(Unavailable, match="tries: 4"):
        azure(odbc).of_window("w")


@pytest.mark.parametrize("number", [207, 208, 102, 8134])
def test_any_other_error_is_final_in_the_databases_own_words(number):
    odbc = Odbc(Odbc.Error("42S02", f"[42S02] [SQL Server]Its own words (1205 of them). ({number}) (SQLExecDirectW)"))

    with pytest.raises(Unavailable, match=r"Its own words \(1205 of them\)") as caught:
        azure(odbc).of_window("w")

    assert type(caught.value) is ServiceRefused
    assert len(odbc.calls) == 1


@pytest.mark.parametrize(("state", "number"), [("22001", 2628), ("22003", 8115), ("23000", 515), ("23000", 547)])
def test_a_value_that_does_not_fit_is_final(state, number):
    odbc = Odbc(Odbc.Error(state, f"[{state}] [SQL Server]It does not fit. ({number}) (SQLExecDirectW)"))

    with pytest.raises(ValuesRefused, match="It does not fit"):
        azure(odbc).of_window("w")

    assert len(odbc.calls) == 1


@pytest.mark.parametrize("number", [2601, 2627])
def test_a_row_that_another_made_at_the_same_time_is_found_by_the_next_try(number):
    odbc = Odbc(Odbc.Error("23000", f"[23000] [SQL Server]Duplicate key. ({number}) (SQLExecDirectW)"))

    with pytest.raises(Unavailable, match="tries: 4"):
        azure(odbc).of_window("w")


@pytest.mark.parametrize("number", [number for number, kind in BY_NUMBER.items() if kind is UNAUTHORIZED])
def test_a_permission_that_is_missing_is_final(number):
    odbc = Odbc(Odbc.Error("42000", f"[42000] [SQL Server]Permission denied. ({number}) (SQLExecDirectW)"))

    with pytest.raises(Denied, match="Permission denied"):
        azure(odbc).of_window("w")

    assert len(odbc.calls) == 1


def test_a_login_that_fails_while_a_paused_database_resumes_is_tried_again_and_then_a_refused_login():
    odbc = Odbc(azure_words(18456, "28000"))

    with pytest.raises(LoginRefused, match=r"sql\.example refused the login: .*tries: 4"):
        azure(odbc).of_window("w")

    assert len(odbc.calls) == 4


def test_a_firewall_that_lets_nobody_in_is_final():
    odbc = Odbc(azure_words(40615))

    with pytest.raises(Denied, match="40615"):
        azure(odbc).of_window("w")

    assert len(odbc.calls) == 1


def test_a_login_service_that_passes_is_asked_again_within_the_call():
    odbc, identity = Odbc(azure_words(208)), FakeIdentity(outage="AADSTS90033", outages=2)

    with pytest.raises(ServiceRefused, match="208"):
        azure(odbc, identity).of_window("w")

    assert len(identity.scopes) == 3


def test_a_login_that_fails_as_the_database_wakes_up_is_tried_again():
    words = "[28000] Login failed. (18456) (SQLDriverConnect); [28000] Database is not available. (40613)"
    odbc = Odbc(Odbc.Error("28000", words))

    with pytest.raises(Unavailable, match="tries: 4"):
        azure(odbc).of_window("w")


def test_an_identity_without_a_token_is_refused_as_it_says():
    with pytest.raises(LoginRefused, match="expired"):
        azure(Odbc(), FakeIdentity(refusal="expired")).of_window("w")


def test_without_pyodbc_the_error_says_so_at_first_use():
    def missing():
        raise ModuleNotFoundError("No module named 'pyodbc'")

    database = sql_database("mssql+pyodbc://sql.example/trades", FakeIdentity(), odbc=missing)

    with pytest.raises(SettingsError, match="pyodbc"):
        SqlCounts(database).of_window("w")


WITH_A_PASSWORD = "mssql://me:pw-s3cret" + "@sql.example/db"


@pytest.mark.parametrize(
    "url",
    ["", "trades.db", "sqlite://", "mssql://sql.example", "mysql://a/b", "mssql://sql:x/db", WITH_A_PASSWORD],
)
def test_another_url_is_refused_without_repeating_a_password(url):
    with pytest.raises(SettingsError, match="A SQL URL is") as caught:
        sql_database(url, FakeIdentity())

    assert "s3cret" not in str(caught.value)
