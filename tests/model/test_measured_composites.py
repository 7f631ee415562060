"""A composite that is measured, too, has one scale."""

from __future__ import annotations

import semlang as sl


def fixed(text: str, **options: object) -> list[tuple[str, str, str]]:
    rows = sl.Model(text, **options).parameter_table.rows  # type: ignore[arg-type]
    return [(r.lhs, r.op, r.rhs) for r in rows if r.op in ("=~", "<~") and not r.free]


def test_the_marker_loading_is_the_scale() -> None:
    assert fixed("A =~ x4 + x5\nA <~ x1 + x2") == [("A", "=~", "x4")]
    assert fixed("A <~ x1 + x2\nA =~ x4 + x5") == [("A", "=~", "x4")]


def test_a_composite_alone_is_scaled_by_its_first_weight() -> None:
    assert fixed("A <~ x1 + x2\ny ~ A") == [("A", "<~", "x1")]


def test_without_a_marker_the_weight_is_the_scale() -> None:
    assert fixed("A =~ x4 + x5\nA <~ x1 + x2\noptions: std.lv = true") == [("A", "<~", "x1")]
