import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.errors import AppRefused
from emulators.functions_host.routes import Match, find, parse_route

ROUTES = [
    parse_route("any", "api/{name}"),
    parse_route("number", "api/{number:int}"),
    parse_route("list", "api/windows", ["GET"]),
    parse_route("open", "api/windows", ["POST"]),
    parse_route("show", "api/windows/{id?}", ["PUT"]),
    parse_route("rest", "files/{*path}"),
    parse_route("deep", "api/{a}/of/{b:alpha}"),
]


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("GET", "/api/windows", "list", {}),
        ("POST", "/API/Windows/", "open", {}),
        ("DELETE", "/api/windows", "any", {"name": "windows"}),
        ("GET", "/api/12", "number", {"number": "12"}),
        ("GET", "/api/-12", "number", {"number": "-12"}),
        ("GET", "/api/12x", "any", {"name": "12x"}),
        ("GET", "/api/a%2Fb%20c", "any", {"name": "a/b c"}),
        ("PUT", "/api/windows/w-1", "show", {"id": "w-1"}),
        ("PUT", "/api/windows", "show", {}),
        ("GET", "/files/a/b.txt", "rest", {"path": "a/b.txt"}),
        ("GET", "/files", "rest", {"path": ""}),
        ("GET", "/api/x/of/abc", "deep", {"a": "x", "b": "abc"}),
    ],
)
def test_the_most_literal_route_answers(method, path, function, parameters):
    assert find(ROUTES, method, path) == Match(function, parameters)


@pytest.mark.parametrize("path", ["/", "/api", "/api/x/of/12", "/api/windows/a/b", "/other"])
def test_a_path_that_fits_no_template_finds_nothing(path):
    assert find(ROUTES, "GET", path) is None


def test_a_method_that_no_function_takes_finds_nothing():
    assert find([parse_route("only", "api/x", ["get"])], "POST", "/api/x") is None


@pytest.mark.parametrize("template", ["a/{x:regex(^a$)}", "{x}.json", "{x=5}", "{x?}/b", "{*all}/b", "{x"])
def test_a_template_that_the_host_cannot_serve_is_refused_by_name(template):
    with pytest.raises(AppRefused, match="'mine'"):
        parse_route("mine", template)


@given(
    st.lists(st.text(min_size=1, alphabet=st.characters(exclude_characters="/{}%?#", exclude_categories=["C", "Z"])))
)
def test_a_template_without_parameters_finds_its_own_path(parts):
    path = "/".join(parts)

    assert find([parse_route("it", path)], "GET", f"/{path}") == Match("it", {})
