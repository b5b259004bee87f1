import json

import numpy as np
import pytest

from shared.feeds.drawing.fixed_lines import PART, LineTemplate, table_of


def test_each_line_is_the_template_with_its_gaps_filled():
    template = LineTemplate('{"name":"<name:3>","count":<count:2>}\n')
    columns = {"name": table_of(["abc", "xyz"]), "count": table_of([" 7", "12"])}

    lines = template.lines(2, columns).to_pylist()

    assert lines == [b'{"name":"abc","count": 7}\n', b'{"name":"xyz","count":12}\n']
    assert [json.loads(line)["count"] for line in lines] == [7, 12]


@pytest.mark.parametrize("count", [0, 1, PART - 1, PART, PART + 1, 2 * PART + 3])
def test_lines_are_the_same_whether_their_texts_are_made_in_parts_or_at_once(count):
    template, texts = LineTemplate("<a:1>\n"), table_of("0123456789").take(np.arange(count) % 10)

    in_parts = template.lines_in_parts(count, lambda part: {"a": texts[part]})

    assert in_parts.equals(template.lines(count, {"a": texts}))


def test_no_lines_are_made_of_none():
    assert len(LineTemplate("<a:1>\n").lines(0, {"a": np.empty(0, "V1")})) == 0


def test_lines_of_two_draws_are_not_the_same_memory():
    template = LineTemplate("<a:1>\n")

    first = template.lines(1, {"a": table_of(["1"])})
    template.lines(1, {"a": table_of(["2"])})

    assert first.to_pylist() == [b"1\n"]


def test_texts_of_a_table_are_as_wide_as_the_longest_in_bytes():
    table = table_of(["ç", "abc"])

    assert [bytes(text) for text in table] == ["ç ".encode(), b"abc"]


def test_a_gap_that_the_template_has_not_is_refused():
    with pytest.raises(ValueError, match="no field"):
        LineTemplate("<a:1>\n").lines(1, {"b": table_of(["1"])})
