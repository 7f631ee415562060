"""Ordinal models before data tell the categories: each response has at least one free threshold."""

from __future__ import annotations

import pytest

import semlang as sl


@pytest.mark.parametrize(
    ("text", "verdict", "free"),
    [
        ("o{1..4} :: ordinal(probit)\nf =~ o{1..4}\nf ~ 1", "not identified", 9),
        ("o{1..4} :: ordinal(probit)\nf =~ o{1..4}", "identified", 8),
        ("o :: ordinal(logit)\no ~ 1 + x", "not identified", 3),
        ("o :: sequential\no ~ x + (1 | g)", "identified", 3),
    ],
)
def test_thresholds_count(text: str, verdict: str, free: int) -> None:
    found = sl.Model(text).identify()
    assert (found.verdict, found.n_free) == (verdict, free)
    assert any("two categories" in note for note in found.notes)


def test_written_thresholds_are_all_there_is() -> None:
    found = sl.Model("o{1..3} :: ordinal(probit)\nf =~ o{1..3}\no{1..3} | t1 + t2").identify()
    assert found.verdict == "identified"
    assert not found.notes
