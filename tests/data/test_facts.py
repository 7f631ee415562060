"""Levels of columns as elaboration sees them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semlang.api import Model
from semlang.data.facts import FrameFacts
from semlang.data.levels import levels, number_levels, number_text

COLUMNS = {
    "whole": ([3, 1, 2, 1], ("1", "2", "3")),
    "whole with gaps": ([10.0, None, 9.0, 9.0], ("9", "10")),
    "decimal": ([0.5, 0.25, 2.0, 0.5], ("0.25", "0.5", "2")),
    "text": (["b", "a", None, "b"], ("a", "b")),
    "numbers as text": (["10", "9", "10", None], ("9", "10")),
    "booleans": ([True, False, True, True], ("False", "True")),
    "negative": ([-1, 0, -2, 5], ("-2", "-1", "0", "5")),
    "wide": ([10**9, 1, 5, 1], ("1", "5", "1000000000")),
    "nothing": ([None, None, None, None], ()),
    "mixed": ([1, None, 2, 1], ("1", "2")),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_levels_are_sorted_texts(case: str) -> None:
    values, expected = COLUMNS[case]
    facts = FrameFacts(pd.DataFrame({"x": values}))
    assert facts.levels["x"] == expected


def test_a_categorical_keeps_its_order_and_loses_unused_levels() -> None:
    column = pd.Categorical(["low", "high", "low"], categories=["low", "middle", "high"])
    assert FrameFacts(pd.DataFrame({"x": column})).levels["x"] == ("low", "high")
    assert levels(pd.Series(column))[1].tolist() == [0, 1, 0]


def test_groups_stand_in_order_of_appearance() -> None:
    facts = FrameFacts(pd.DataFrame({"g": ["b", "a", "b", "c"], "n": [2.0, np.nan, 1.0, 2.0]}))
    assert facts.appearance("g") == ("b", "a", "c")
    assert facts.appearance("n") == ("2", "1")
    assert FrameFacts(pd.DataFrame({"g": ["b", "a"]}), group="g").levels["g"] == ("b", "a")


def test_levels_are_computed_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("semlang.data.facts.levels", lambda c: (asked.append(c.name) or ("1",), None))
    facts = FrameFacts(pd.DataFrame({"a": [1], "b": [2]}))
    assert facts.columns == ("a", "b")
    assert "a" in facts.levels
    assert "c" not in facts.levels
    assert asked == []
    assert facts.levels["b"] == facts.levels["b"] == ("1",)
    assert asked == ["b"]
    with pytest.raises(KeyError):
        facts.levels["c"]


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(-3, 3)), min_size=1))
def test_codes_give_back_the_values(values: list[float | None]) -> None:
    array = np.array([np.nan if v is None else v for v in values], dtype=float)
    names, codes = number_levels(array)
    assert len(set(names)) == len(names) or len({float(n) for n in names}) < len(names)
    for value, code in zip(array, codes, strict=True):
        assert (code == -1) == np.isnan(value)
        if code >= 0:
            assert names[code] == number_text(value)


def test_columns_that_differ_by_blanks_and_capitals_are_found() -> None:
    """Names as a spreadsheet has them; the edits that the findings propose make the text right."""
    columns = ["Item 1", "item-2", "ITEM3", "item.4"]
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 4)), columns=columns)
    text = "f =~ item1 + item2 + item3 + item4\n"
    found = Model(text).check(frame)
    assert [d.slug for d in found] == ["unknown-column"] * 4
    for d in reversed(found):
        (edit,) = d.fix
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == "f =~ `Item 1` + `item-2` + ITEM3 + item.4\n"
    assert [d for d in Model(text).check(frame) if d.is_error] == []
