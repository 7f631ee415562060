"""What a fit counts: rows and units, sizes of classes; and the parameters that the text defines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.assemble import multiplicity
from semlang.estimation.conditioning.filled import counted
from semlang.estimation.constraints import labels_at
from semlang.estimation.expressions import evaluate_defined
from semlang.estimation.left_out import LeftOut, left_out
from semlang.estimation.member import Member
from semlang.estimation.objective import Objective
from semlang.estimation.outcome import DefinedEstimate
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, ParameterTable

__all__ = ["Tally", "class_sizes", "defined_estimates", "tally"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tally:
    """What counts, frequencies counted.

    Parameters
    ----------
    rows : float
        Rows with a response.
    top : float
        Top-level units with one.
    units : mapping from cluster to its number of units
    read : int
        Rows that were read.
    left_out : tuple of LeftOut
    dropped : mapping from reason to number of responses left out
    """

    rows: float
    top: float
    units: Mapping[str, int]
    read: int
    left_out: tuple[LeftOut, ...]
    dropped: Mapping[str, int]

    @classmethod
    def of_parts(cls, parts: Sequence[Tally]) -> Tally:
        """Return the sums over parts of the data."""
        units: Counter[str] = Counter()
        dropped: Counter[str] = Counter()
        lost: Counter[tuple[str, str]] = Counter()
        for part in parts:
            units.update(part.units)
            dropped.update(part.dropped)
            for o in part.left_out:
                lost[o.what, o.reason] += o.n
        left = tuple(
            LeftOut(what, n, reason) for what in ("rows", "responses") for (w, reason), n in lost.items() if w == what
        )
        return cls(
            sum(p.rows for p in parts), sum(p.top for p in parts), units, sum(p.read for p in parts), left, dropped
        )


def tally(
    table: ParameterTable,
    forms: Sequence[ReducedForm],
    given: Sequence[Design],
    fitted: Sequence[Design],
    members: Sequence[Member],
) -> Tally:
    """Count rows and units.

    Parameters
    ----------
    table : ParameterTable
    forms, given, fitted, members : sequences, one a group
        Data as they are, and as they are fitted (without responses that are separated).
    """
    rows: list[float] = []
    top = 0.0
    dropped: Counter[str] = Counter()
    for member, form, design, used in zip(members, forms, given, fitted, strict=True):
        counts = counted(table, form, design)
        rows.append(member.used)
        dropped.update(member.dropped)
        if used is not design:
            weight = np.prod([np.ones(design.n_rows), *design.frequency.values()], axis=0)
            rows[-1] += float(weight[counts].sum() - weight[counted(table, form, used)].sum())
        if table.clusters:
            copies = multiplicity(table.clusters[-1], design)
            there = np.zeros(copies.size, dtype=bool)
            there[design.clusters[table.clusters[-1]][counts]] = True
            top += float(copies[there].sum())
        else:
            first = np.flatnonzero(counts)
            if design.sets:  # the alternatives of a set are one choice
                first = first[_first_of_sets(np.stack([codes[counts] for codes in design.sets.values()]))]
            top += float(design.frequency.get(ROWS, np.ones(design.n_rows))[first].sum())
    read, lost = left_out(forms, given, rows, dropped)
    units = {c: sum(d.n_units(c) for d in given) for c in table.clusters}
    return Tally(sum(rows), top, units, read, lost, dropped)


def _first_of_sets(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first record of each group of records that sets join, directly or by way of others.

    Parameters
    ----------
    codes : (m, n) ints
        The set of each record in each of m responses; -1 where it is in none.
    """
    n = codes.shape[1]
    unit = np.arange(n)
    while True:
        before = unit
        for own in codes:
            joined = own >= 0
            least = np.full(int(own.max(initial=0)) + 1, n)
            np.minimum.at(least, own[joined], unit[joined])
            unit = unit.copy()
            unit[joined] = least[own[joined]]
        if (unit == before).all():
            return np.unique(unit)


def class_sizes(objective: Objective, z: Floats) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
    """Return the proportions of the states of discrete latent variables, over all groups; and their units' weight."""
    x = objective.x(z)
    found: dict[str, Floats] = {}
    weights: dict[str, float] = {}
    for member in objective.members:
        for key, (size, total) in member.state_sizes(x).items():
            found[key] = found.get(key, 0.0) + size * total
            weights[key] = weights.get(key, 0.0) + total
    return {key: tuple((size / weights[key]).tolist()) for key, size in found.items()}, weights


def defined_estimates(table: ParameterTable, theta: Floats, vcov: Floats | None) -> tuple[DefinedEstimate, ...]:
    """Return the estimates of defined parameters, with standard errors by the delta method."""
    if not table.defined:
        return ()
    values = evaluate_defined(table.defined, labels_at(table, theta), theta.size)
    out = []
    for d in table.defined:
        dual = values[d.name]
        variance = math.nan if vcov is None else float(dual.gradient @ np.nan_to_num(vcov) @ dual.gradient)
        out.append(DefinedEstimate(d.name, d.text, dual.value, math.sqrt(variance) if variance >= 0 else math.nan))
    return tuple(out)
