import pytest

from emulators.functions_host.keys import read_keys


def test_a_request_arrives_whole_and_the_response_leaves_whole(whole):
    response = whole.call("PUT", "/api/ECHO/tea/-5?b=1&b=2&empty=", data="körper".encode(), headers={"X-Seen": "yes"})

    assert (response.status_code, response.headers["X-Made"]) == (201, "yes")
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.json() == {
        "method": "PUT",
        "route": {"kind": "tea", "number": "-5"},
        "query": {"b": "1,2"},
        "header": "yes",
        "body": "körper",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/api/echo/literal", 200, "literal"),
        ("GET", "/api/files/a/b%20c.txt", 200, "a/b c.txt"),
        ("GET", "/api/named_by_itself", 200, "cookie"),
        ("POST", "/api/echo/tea/five", 404, ""),
        ("DELETE", "/api/look/x", 404, ""),
        ("GET", "/api/none", 404, ""),
        ("GET", "/none", 404, ""),
        ("GET", "/api/fails", 500, ""),
        ("GET", "/api/function-level", 200, "in"),
    ],
)
def test_a_route_answers_with_its_status_and_text(whole, method, path, status, text):
    response = whole.call(method, path)

    assert (response.status_code, response.text) == (status, text)


def test_a_cookie_reaches_the_client(whole):
    assert whole.call("GET", "/api/named_by_itself").cookies["flavour"] == "oat"


def test_app_settings_come_from_the_file_under_the_environment(whole):
    assert whole.call("GET", "/api/settings/GREETING").text == "from the file"
    assert whole.call("GET", "/api/settings/OVERRIDDEN").text == "from the environment"


def test_log_lines_carry_function_invocation_and_duration(whole):
    whole.call("GET", "/api/settings/GREETING")

    lines = whole.log().splitlines()
    written = next(line for line in lines if "app settings.read setting=GREETING" in line)
    invocation = written.rsplit("invocation=", 1)[1]
    (executing, executed) = [line for line in lines if invocation in line and "Function.settings" in line]
    assert "Executing" in executing
    assert "Executed" in executed
    assert "duration_ms=" in executed
    assert "printed by the app" in lines


def test_an_asynchronous_function_and_the_sdks_in_it_are_heard_on_the_loop_and_not_in_a_thread(whole):
    whole.call("GET", "/api/says/peacock")

    lines = [line for line in whole.log().splitlines() if "peacock" in line and "azure.core.pipeline" in line]
    assert len(lines) == 1
    assert " INFO azure.core.pipeline on the loop: peacock invocation=" in lines[0]
    assert "in a thread: peacock" not in whole.log()


def test_a_failing_function_is_logged_with_its_error(whole):
    whole.call("GET", "/api/fails")

    assert 'result=Failed error="ValueError: on purpose"' in whole.log()


def test_functions_and_process_are_listed_for_the_administrator(whole):
    names = {function["name"] for function in whole.call("GET", "/admin/functions").json()}

    assert {"echo", "nightly", "leg", "work"} <= names
    assert whole.call("GET", "/admin/host/status").json()["state"] == "Running"


@pytest.mark.parametrize(("name", "status"), [("nightly", 202), ("no_such", 404), ("echo", 400)])
def test_only_a_function_with_a_listener_fires_by_hand(whole, name, status):
    assert whole.call("POST", f"/admin/functions/{name}", json={"input": ""}).status_code == status


def test_keys_are_asked_for_when_auth_is_enabled(launch, tmp_path):
    host = launch("whole", "--enable-auth")
    keys = read_keys(tmp_path / "state.sqlite")
    opened = {
        "/api/function-level": {keys.function, keys.master},
        "/api/admin-level": {keys.master},
        "/admin/host/status": {keys.master},
        "/runtime/webhooks/durabletask/instances/": {keys.durable, keys.master},
    }

    for path, accepted in opened.items():
        for key in ("", "wrong", keys.function, keys.durable, keys.master):
            by_header = host.call("GET", path, headers={"x-functions-key": key})
            by_query = host.call("GET", path, params={"code": key})
            assert (by_header.status_code, by_query.status_code) == ((200, 200) if key in accepted else (401, 401)), (
                path
            )
    assert host.call("GET", "/api/function-level").content == b""


def test_the_addresses_of_an_orchestration_carry_the_key_that_opens_them(launch, tmp_path):
    host = launch("whole", "--enable-auth")
    host.session.headers["x-functions-key"] = read_keys(tmp_path / "state.sqlite").function
    started = host.start("sleeps", "with-keys", 0).json()
    del host.session.headers["x-functions-key"]

    response = host.call("GET", started["statusQueryGetUri"].removeprefix(host.url))

    assert response.status_code in {200, 202}
