"""Whether a model and its data are for the shared grid, and how large its table would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semlang.data.design import Design
from semlang.estimation.kernels.families import MIXTURES
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Variable

__all__ = ["ADAPTIVE", "COUNTS", "ENOUGH", "FEW_NODES", "LARGE", "can_share", "few_types", "types_of_rows"]

COUNTS = {1: (64, 128, 256), 2: (24, 32, 48, 64)}
"""Nodes a dimension by number of layers: more are taken where the rule's error is not small."""
FEW_NODES = {1: 32, 2: 16}
"""Nodes a dimension that lead near to the maximum, where the log-likelihood is wrong by some 0.1."""
ENOUGH = {1: 64, 2: 32}
"""Those that costs are reckoned with."""

FAMILIES = frozenset(("binomial", "ordinal", "poisson"))
"""Kinds whose densities have constants without parameters."""
LARGE = 500_000
"""Densities of one evaluation by adaptive quadrature with 7 points, below which that takes some milliseconds."""
FEW = 50
"""Most different values of a covariate: with more, rows have too many types."""
ROWS_A_TYPE = 50
ADAPTIVE = 7


def few_types(reduced: ReducedForm, design: Design, layers: int, rows: int) -> bool:
    """Return whether rows are of so few types that shared nodes are cheaper than adaptive quadrature.

    Parameters
    ----------
    reduced : ReducedForm
    design : Design
    layers : int
        One or two, of one dimension each.
    rows : int
        Number of observed responses.
    """
    types = types_of_rows(reduced, design)
    return types * ROWS_A_TYPE <= rows and 3 * types * ENOUGH[layers] ** layers <= rows * ADAPTIVE**layers


def can_share(reduced: ReducedForm, design: Design, variables: Mapping[str, Variable], order: Sequence[str]) -> bool:
    """Return whether units may share nodes: responses are discrete, and weights do not differ inside top units."""
    used = [variables[key] for key in reduced.responses]
    if any(v.kind.name not in FAMILIES or v.key in design.exposure or v.key in design.trials for v in used):
        return False
    if reduced.offsets or any(role in MIXTURES for _, role in reduced.quantities):
        return False
    top = max((order.index(d.level) for d in reduced.disturbances), default=0)
    return not any(order.index(level) < top for given in (design.weights, design.frequency) for level in given)


def types_of_rows(reduced: ReducedForm, design: Design) -> float:
    """Return a bound on the number of row types; infinite where a covariate has many values."""
    total = 0.0
    for k, key in enumerate(reduced.responses):
        y = design.responses[key]
        number = float(np.nanmax(y, initial=0.0)) + 1.0
        for product in reduced.needed[k]:
            column = design.columns[product]
            if np.unique(column[:1000]).size > FEW:
                return np.inf
            number *= np.unique(column).size
        total += number
    return total
