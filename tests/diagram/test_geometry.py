"""Pictures can be read: nothing overlaps, no label is ambiguous, no edge runs through a box."""

from __future__ import annotations

from pathlib import Path

import pytest

from semlang.diagram.layout import diagram
from semlang.diagram.svg import svg
from semlang.model.table import ParameterTable

from .geometry import crossings, faults
from .models import MODELS, table_of

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE.parents[1] / "examples").glob("*/*.sem"))
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
