"""Hints in the text win over what is found from the graph, and places that are given are kept."""

from __future__ import annotations

import pytest

from semlang.diagram.draw import draw
from semlang.diagram.spec import DiagramSpec, Node

from .geometry import faults
from .models import table_of

MODEL = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ f + z\n"


def nodes(hints: str, model: str = MODEL) -> dict[str, Node]:
    """Return the nodes of a picture without faults."""
    picture = draw(table_of(f"layout: {hints}\n{model}"))
    assert not faults(picture.svg)
    return {n.key.removeprefix("covariate "): n for n in picture.spec.nodes}


def test_rows() -> None:
    at = nodes("rows = [x{1..3}, f + g, y{1..3}]")
    heights = [{round(at[k].y, 1) for k in row} for row in (("x1", "x2", "x3"), ("f", "g"), ("y1", "y2", "y3"))]
    assert [len(h) for h in heights] == [1, 1, 1]
    assert heights[0].pop() > heights[1].pop() > heights[2].pop()


def test_columns_and_a_grid() -> None:
    at = nodes("columns = [x1 + x2 + x3, f, g, y1 + y2 + y3]")
    assert at["x1"].x == pytest.approx(at["x3"].x)
    assert at["x1"].x < at["f"].x < at["g"].x < at["y1"].x
    at = nodes("rows = [a1 + a2, b1 + b2], columns = [a1 + b1, a2 + b2]", "a2 ~ a1\nb2 ~ b1 + a1\n")
    assert at["a1"].x == pytest.approx(at["b1"].x)
    assert at["a1"].y == pytest.approx(at["a2"].y)
    assert at["a1"].x < at["a2"].x


def test_order_sides_and_direction() -> None:
    factors = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nh =~ z1 + z2 + z3\n"
    at = nodes("order = [h, f, g]", factors)
    assert at["h"].x < at["f"].x < at["g"].x
    assert (
        nodes("order = [x3, x1]", "f =~ x1 + x2 + x3\n")["x3"].x
        < nodes("order = [x3, x1]", "f =~ x1 + x2 + x3\n")["x1"].x
    )
    at = nodes("below = h", factors)
    assert at["h"].y < min(at[k].y for k in ("f", "g", "x1", "z1"))
    at = nodes("left = h", factors)
    assert at["h"].x < min(at[k].x for k in ("f", "g"))
    at = nodes("direction = right", factors)
    assert at["f"].x < at["x1"].x


def test_an_option_wins_over_the_direction_in_the_text() -> None:
    spec = draw(table_of(f"layout: direction = right\n{MODEL}"), direction="down").spec
    at = {n.key: n for n in spec.nodes}
    assert at["g"].y > at["y1"].y


def corner(spec: DiagramSpec) -> dict[str, tuple[float, float]]:
    """Return centres as the JSON has them, in places of ``at``."""
    plain = spec.to_json()
    x, y = plain["origin"]
    return {n["key"]: (n["box"][0] + n["box"][2] / 2 + x, n["box"][1] + n["box"][3] / 2 + y) for n in plain["nodes"]}


def test_places_that_are_given_are_kept() -> None:
    free = corner(draw(table_of(MODEL)).spec)
    at = corner(draw(table_of(f"layout: at(f, 20, 30), at(z, 400, 10)\n{MODEL}")).spec)
    assert at["f"] == pytest.approx((20, 30), abs=0.02)
    assert at["covariate z"] == pytest.approx((400, 10), abs=0.02)
    assert at["y2"] == pytest.approx(free["y2"], abs=0.02)
    again = corner(draw(table_of(MODEL), at={"f": (20, 30), "z": (400, 10)}).spec)
    assert again == at


def test_a_node_without_a_place_gives_way() -> None:
    free = corner(draw(table_of(MODEL)).spec)
    x, y = free["x2"]
    picture = draw(table_of(f"layout: at(g, {x:.0f}, {y:.0f})\n{MODEL}"))
    assert not faults(picture.svg)["boxes overlap"]
    assert corner(picture.spec)["g"] == pytest.approx((x, y), abs=1)


@pytest.mark.parametrize(
    "model",
    [MODEL, "reaction ~ 1 + days + (1 + days | subject)\n", "f =~ `odd name` + x2 + x3\nf ~ u[g]\ncluster: g\n"],
)
def test_the_places_of_a_picture_can_be_put_into_the_text(model: str) -> None:
    first = draw(table_of(model))
    second = draw(table_of(first.layout + model))
    kept, given = corner(second.spec), corner(first.spec)
    assert {n.key: n.shape for n in first.spec.nodes} == {n.key: n.shape for n in second.spec.nodes}
    for n in first.spec.nodes:
        assert kept[n.key] == pytest.approx(given[n.key], abs=1.0 if n.shape != "point" else 12.0)  # whole points


@pytest.mark.parametrize("engine", ["dot", "neato"])
def test_graphviz_is_one_layout_among_others(engine: str) -> None:
    found = faults(draw(table_of(MODEL), layout=engine).svg)
    assert not found["boxes overlap"]
    assert not found["edge through a box"]
