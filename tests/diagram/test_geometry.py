"""Pictures can be read: nothing overlaps, no label is ambiguous, no edge runs through a box."""

from __future__ import annotations

from pathlib import Path

import pytest

from semlang.diagram.draw import draw
from semlang.diagram.layout import diagram
from semlang.diagram.styles import STYLES
from semlang.diagram.svg import svg
from semlang.model.table import ParameterTable

from .geometry import crossings, faults
from .kinds import KINDS, TALK
from .models import MODELS, table_of

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE.parents[1] / "examples").glob("*/*.sem"))
GALLERY = sorted((HERE.parents[1] / "semlang" / "page" / "gallery").glob("*.sem"))
TEXTS = (
    {p.stem: p.read_text(encoding="utf-8") for p in sorted((HERE / "pictures").glob("*.sem"))}
    | {f"{p.parent.name}/{p.stem}": p.read_text(encoding="utf-8") for p in EXAMPLES}
    | {f"model {k}": v for k, v in MODELS.items()}
)


def numbers(table: ParameterTable) -> dict[int, float]:
    """Return a number for every row, as long as estimates are, of both signs."""
    return {
        r.id: (0.123 + 0.1 * (r.parameter % 7)) * (-1) ** r.parameter if r.parameter >= 0 else float(r.ustart or 0.0)
        for r in table.rows
        if r.target and (r.parameter >= 0 or r.ustart is not None)
    }


@pytest.mark.parametrize("estimates", [False, True], ids=["plain", "estimates"])
@pytest.mark.parametrize("name", TEXTS)
def test_nothing_overlaps_and_labels_are_unambiguous(name: str, estimates: bool) -> None:
    table = table_of(TEXTS[name])
    picture = svg(diagram(table, numbers(table) if estimates else None))
    found = faults(picture)
    print(f"{name}: {sum(found.values())} faults, {crossings(picture)} crossings")
    assert not found


FEW = (
    "ri-clpm of 3 waves",
    "panel of three series",
    "mtmm 3x3",
    "second order with a covariate",
    "latent change score",
    "loop of latent variables",
    "mimic with dif",
    "mediators side by side",
)
ALL = (
    {f"talk {k}": v for k, v in TALK.items()}
    | {f"kind {k}": v for k, v in KINDS.items()}
    | {f"gallery {p.stem}": p.read_text(encoding="utf-8") for p in GALLERY}
    | TEXTS
)


def wrong_in(text: str, style: str, show: str) -> dict[str, int]:
    """Return what is wrong with a picture of a text."""
    table = table_of(text)
    values = None if show == "names" else numbers(table)
    return dict(faults(draw(table, style=style, show=show, estimates=values).svg))


@pytest.mark.parametrize("name", [*(f"kind {k}" for k in FEW), *(f"talk {k}" for k in TALK)])
def test_other_models_can_be_read(name: str) -> None:
    assert not wrong_in(ALL[name], "gllamm", "estimates")


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_all_models_in_all_dialects(name: str) -> None:
    found = {(a, b): wrong_in(ALL[name], a, b) for a in STYLES for b in ("names", "estimates", "standardized")}
    assert not {k: v for k, v in found.items() if v}


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_sixty_items_fit_on_a_page(style: str) -> None:
    """At 6 points, on A4 with margins of 25 mm: 453 x 700 points."""
    picture = draw(table_of(TEXTS["six60"]), style=style).to_json()
    scale = min(453 / picture["width"], 700 / picture["height"], 1.0)
    assert 10.0 * scale >= 6.0  # labels; names are larger
