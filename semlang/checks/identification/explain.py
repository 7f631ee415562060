"""Which rule settles each parameter."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.checks.identification.names import Names
from semlang.checks.identification.rank import MomentMap, RankResult
from semlang.checks.identification.report import Reason
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable


def reasons(
    table: ParameterTable, graphs: Sequence[ModelGraph], moments: MomentMap, names: Names, found: RankResult
) -> list[Reason]:
    """Return a reason for each identified parameter."""
    moving = set(found.moving)
    return [
        Reason(names.triple(p), names.text(p), "rank") for p in range(moments.n) if p not in moving and names.rows(p)
    ]
