import ast

import pytest

from cost.bill import PARTS
from cost.prices import FILE, read_prices
from shared.settings.prices import SETTINGS, prices
from tests.architecture.tree import ROOT, modules, syntax

PRICE = '[a]\namount = {amount}\nunit = "hour"\nread = "2026-11"\nsource = "a page"\n'
HEAD = 'currency = "USD"\nregion = "East US"\n'


def test_the_apps_settings_have_the_prices_of_the_list_by_default():
    listed = read_prices().prices
    default = prices({each.name: each.read(each.default) for each in SETTINGS})

    assert default.throughput_unit_hour == listed["throughput_unit"].amount
    assert default.million_events == listed["million_events"].amount
    assert default.hundred_units_hour == listed["cosmos_units"].amount


def test_every_price_has_a_date_a_unit_and_a_source():
    for name, price in read_prices().prices.items():
        assert price.read.startswith("20"), name
        assert price.unit, name
        assert price.source, name


def test_every_price_is_used_and_every_price_that_is_used_is_listed():
    texts = {
        node.value
        for name in modules("cost")
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert set(read_prices().prices) <= texts
    assert PARTS, "that those which are used are listed is held by each bill"


def test_a_price_that_is_unknown_gives_no_cost(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(HEAD + PRICE.format(amount='"unknown"'))

    assert read_prices(file).of("a", 7) is None


@pytest.mark.parametrize("amount", ["-1", '"about 3"', "true and false"])
def test_a_price_that_is_no_amount_is_refused(tmp_path, amount):
    file = tmp_path / "prices.toml"
    file.write_text(HEAD + PRICE.format(amount=amount))

    with pytest.raises(ValueError, match=r"amount of a|Expected|Invalid"):
        read_prices(file)


def test_a_price_without_a_source_is_refused(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(HEAD + PRICE.format(amount="1").replace('source = "a page"\n', ""))

    with pytest.raises(ValueError, match="source"):
        read_prices(file)


def test_the_list_is_a_file_of_this_repository():
    assert FILE.is_relative_to(ROOT)
