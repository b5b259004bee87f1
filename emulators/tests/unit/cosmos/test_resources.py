import pytest

from emulators.cosmos.authentication import sign
from emulators.cosmos.refusals import Refusal
from emulators.cosmos.resources import Resource, read_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Resource("", "", ())),
        ("/dbs", Resource("dbs", "", ())),
        ("/dbs/a", Resource("dbs", "dbs/a", ("a",))),
        ("/dbs/a/colls/b/", Resource("colls", "dbs/a/colls/b", ("a", "b"))),
        ("/dbs/a/colls/b/docs/", Resource("docs", "dbs/a/colls/b", ("a", "b"))),
        ("/dbs/a/colls/b/docs/1", Resource("docs", "dbs/a/colls/b/docs/1", ("a", "b", "1"))),
        ("/dbs/a/colls/b/pkranges", Resource("pkranges", "dbs/a/colls/b", ("a", "b"))),
    ],
)
def test_a_path_names_a_kind_and_what_is_signed(path, expected):
    assert read_path(path) == expected


@pytest.mark.parametrize(
    "path", ["/offers", "/dbs/a/users", "/dbs/a/colls/b/sprocs", "/dbs/a/colls/b/docs/1/attachments/2"]
)
def test_other_kinds_are_refused(path):
    with pytest.raises(Refusal, match="no kind of resource"):
        read_path(path)


def test_a_request_is_signed_as_the_service_documents_it():
    """The published example of learn.microsoft.com, "Access control on Azure Cosmos DB resources": nobody's key."""
    first, second = "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5Jiwv", "W0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw=="
    resource = read_path("/dbs/ToDoList")

    signed = sign(first + second, "GET", resource, "Thu, 27 Apr 2017 00:51:12 GMT")

    assert (signed[:20], signed[20:]) == ("c09PEVJrgp2uQRkr934k", "FbTqhByc7TVr3OHyqlu+c+c=")
