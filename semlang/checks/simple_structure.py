"""A certificate for factor models of simple structure, where the rank need not be computed.

If every latent variable has three or more gaussian indicators that measure it alone, residuals are uncorrelated, scales
are set and nothing is equated, the covariances inside each set of indicators determine its loadings, and those between
the sets the covariances of the latent variables, whatever these are (three-indicator rule: Bollen 1989, Structural
Equations with Latent Variables, pp. 242-247). It holds where no loading is 0, as the generic rank does.
"""

from __future__ import annotations

from collections.abc import Sequence

from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ROWS, ParameterTable

INDICATORS = 3


def simple_structure(table: ParameterTable, graphs: Sequence[ModelGraph]) -> bool:
    """Return whether the three-indicator rule settles every parameter.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
    """
    shared = sum(row.parameter >= 0 for row in table.rows) != table.n_parameters
    if shared or table.relations or table.clusters or any(row.via for row in table.rows):
        return False
    for v in table.variables.values():
        gaussian = v.role == "response" and v.is_gaussian
        if v.level != ROWS or not (gaussian or (v.role == "latent" and v.kind.continuous and not v.arguments)):
            return False
    return all(_settled(graph) for graph in graphs)


def _settled(graph: ModelGraph) -> bool:
    if graph.others or graph.quantities or graph.thresholds:
        return False
    responses = set(graph.responses)
    loadings: dict[str, list[int]] = {f: [] for f in graph.latents}
    measured: set[str] = set()
    for path in graph.paths:
        if not path.source:
            # the mean of each response is a parameter of its own, means of latent variables are 0
            if (path.target in responses) != (path.parameter >= 0):
                return False
        elif path.target not in responses or path.target in measured or path.is_zero:
            return False
        else:
            measured.add(path.target)
            loadings[path.source].append(path.parameter)
    variances = {c.a: c.parameter for c in graph.covariances if c.a == c.b}
    for c in graph.covariances:
        if c.a != c.b and (c.a in responses or c.b in responses):
            return False
        if c.a == c.b and (c.is_zero or (c.a in responses and c.parameter < 0)):
            return False
    return measured == responses and all(
        len(own) >= INDICATORS and f in variances and (sum(p < 0 for p in own) + (variances[f] < 0)) == 1
        for f, own in loadings.items()
    )
