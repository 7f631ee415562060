"""Path diagrams: what is drawn, and that it can be read."""

from __future__ import annotations

import pytest

from semlang.diagram.content import number
from semlang.diagram.layout import diagram
from semlang.diagram.spec import DiagramSpec, Edge
from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse

from .models import MODELS, table_of

ALL = pytest.mark.parametrize("name", MODELS)


def spec_of(name: str, estimates: bool = False) -> DiagramSpec:
    table = table_of(MODELS[name])
    return diagram(table, fake(table) if estimates else None)


def fake(table: ParameterTable) -> dict[int, float]:
    """Return a number for every row."""
    return {
        r.id: 0.123 + 0.1 * r.parameter if r.parameter >= 0 else float(r.ustart or 0.0)
        for r in table.rows
        if r.target and (r.parameter >= 0 or r.ustart is not None)
    }


def edge(spec: DiagramSpec, source: str, target: str) -> Edge:
    (found,) = [e for e in spec.edges if (e.source, e.target) == (source, target)]
    return found


@ALL
def test_every_variable_is_one_node_of_its_shape(name: str) -> None:
    table, spec = table_of(MODELS[name]), spec_of(name)
    keys = [n.key for n in spec.nodes]
    assert len(keys) == len(set(keys))
    for v in table.variables.values():
        (node,) = [n for n in spec.nodes if n.key == v.key]
        discrete = v.kind.discrete
        assert node.shape == ("box" if v.role == "response" else "octagon" if discrete else "ellipse")
        assert node.level == v.level
        assert node.label == v.name or (node.label == "ζ" and node.note in ("intercept", v.name.split(".")[-1]))
    covariates = {c.column for r in table.rows for c in r.via if not c.response}
    shown = {part for n in spec.nodes if n.key.startswith("covariate") for part in n.label.split(":")}
    assert covariates <= shown


@ALL
def test_frames_are_nested_and_hold_what_varies_over_them(name: str) -> None:
    table, spec = table_of(MODELS[name]), spec_of(name)
    if not table.clusters:
        assert spec.frames == ()
        return
    assert [f.level for f in spec.frames] == list(reversed(table.levels))
    for outer, inner in zip(spec.frames, spec.frames[1:], strict=False):
        assert outer.left < inner.left
        assert inner.right < outer.right
        assert outer.bottom < inner.bottom
        assert inner.top < outer.top
    place = {level: k for k, level in enumerate(table.levels)}
    for n in spec.nodes:
        for f in spec.frames:
            within = f.left <= n.x <= f.right and f.bottom <= n.y <= f.top
            assert within == (place[n.level] <= place[f.level]), (n.key, f.level)


@ALL
def test_drawing_twice_is_identical(name: str) -> None:
    assert spec_of(name) == spec_of(name)


def test_fixed_paths_are_dashed_and_labels_shown() -> None:
    spec = spec_of("democracy")
    assert edge(spec, "ind60", "x1").dashed
    assert edge(spec, "ind60", "x1").label == "1"
    assert not edge(spec, "ind60", "x2").dashed
    assert edge(spec, "dem60", "y2").label == "a"
    covariances = {frozenset((e.source, e.target)) for e in spec.edges if e.both}
    assert frozenset(("y2", "y6")) in covariances
    assert len(covariances) == 6
    residuals = [e.target for e in spec.edges if not e.source]
    assert sorted(residuals) == sorted(
        [*(f"x{k}" for k in (1, 2, 3)), *(f"y{k}" for k in range(1, 9)), "dem60", "dem65"]
    )


def test_factors_stand_in_a_row_above_their_indicators() -> None:
    spec = spec_of("factors")
    at = {n.key: n for n in spec.nodes}
    assert at["visual"].y == at["textual"].y == at["speed"].y > at["x1"].y
    assert len({at[f"x{k}"].y for k in range(1, 10)}) == 1
    assert at["textual"].x == pytest.approx(at["x5"].x)


def test_fixed_at_zero_is_not_drawn() -> None:
    spec = spec_of("growth")
    assert not [e for e in spec.edges if (e.source, e.target) == ("s", "t1")]


def test_a_random_slope_points_at_the_middle_of_the_path() -> None:
    spec = spec_of("random slopes")
    (dot,) = [n for n in spec.nodes if n.shape == "point"]
    at = {n.key: n for n in spec.nodes}
    path = edge(spec, "covariate days", "reaction")
    assert path.label == "b"
    days, reaction = at["covariate days"], at["reaction"]
    assert dot.x == pytest.approx(
        (days.x + days.width / 2 + reaction.x - reaction.width / 2) / 2, abs=0.01
    )  # places are rounded to hundredths
    assert edge(spec, "reaction.days[subject]", dot.key).dashed
    assert edge(spec, "reaction.1[subject]", "reaction").label == "1"


def test_components_and_classes_have_arrows_to_their_responses() -> None:
    spec = spec_of("two levels")
    assert edge(spec, "y1[c]", "y1").dashed
    assert not edge(spec, "fb[c]", "y2[c]").dashed
    spec = spec_of("classes")
    assert {e.target for e in spec.edges if e.source == "disease"} == {f"test{k}" for k in range(1, 5)}


def test_superscripts_number_the_levels() -> None:
    at = {n.key: n.superscript for n in spec_of("multilevel").nodes}
    assert at["ability"] == "(2)"
    assert at["u[school]"] == at["climate[school]"] == "(3)"
    assert {n.superscript for n in spec_of("random slopes").nodes if n.shape == "ellipse"} == {"(2)"}
    assert {n.superscript for n in spec_of("factors").nodes} == {""}


def test_estimates_take_the_place_of_labels() -> None:
    table = table_of(MODELS["democracy"])
    spec = diagram(table, fake(table))
    row = next(r for r in table.rows if (r.lhs, r.op, r.rhs) == ("dem60", "=~", "y2"))
    assert edge(spec, "dem60", "y2").label == number(0.123 + 0.1 * row.parameter)
    assert spec.texts


def test_levels_of_a_factor_share_a_box() -> None:
    labels = [n.label for n in spec_of("regression").nodes if n.shape == "box"]
    assert labels.count("age") == 1


def test_groups_are_drawn_one_by_one() -> None:
    model, _ = parse(Source("f =~ x1 + c(a, b)*x2 + x3\n"))
    table, _ = elaborate(model, n_groups=2).answer
    assert table is not None
    assert edge(diagram(table, group=1), "f", "x2").label == "a"
    second = diagram(table, group=2)
    assert edge(second, "f", "x2").label == "b"
    assert second.title == f"group: {table.groups[1]}"
