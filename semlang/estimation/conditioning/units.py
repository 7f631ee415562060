"""The units of a conditional model: which count, how they nest, and what multiplies their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.conditioning.conditions import Conditions
from semlang.estimation.conditioning.flags import Flags, anywhere
from semlang.estimation.conditioning.fold import Stage
from semlang.estimation.conditioning.membership import products_of
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, ParameterTable, Product

__all__ = ["Units", "complete"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def complete(
    design: Design,
    forms: Sequence[ReducedForm],
    logits: Mapping[str, tuple[str, Sequence[ReducedForm]]],
    nodes: Collection[str],
    columns: Mapping[Product, Floats],
) -> tuple[Design, dict[str, int]]:
    """Leave out responses for which some state has no linear predictor, so that all states see the same ones.

    Where a covariate of the probabilities of a unit's classes is missing, the unit is left out.

    Parameters
    ----------
    design : Design
    forms : sequence of ReducedForm
        Of the responses, one a configuration.
    logits : mapping from key to its level and the reduced forms of its logits
    nodes : collection of str
        Names of columns that hold nodes.
    columns : mapping from Product to (n_rows,) floats
        What is known of covariates; missing responses that are filled in are known.

    Returns
    -------
    design : Design
    dropped : dict from reason to number of responses
    """
    dropped: Counter[str] = Counter(design.dropped)
    responses = dict(design.responses)

    def reasons(needed: Sequence[Product]) -> dict[str, Flags]:
        """Return where each product of covariates is missing, if anywhere."""
        found: dict[str, Flags] = {}
        for p in dict.fromkeys(needed):
            if not any(c.column in nodes for c in p):
                missing = np.isnan(columns[p])
                if missing.any():
                    found[f"{':'.join(c.name for c in p)} missing"] = missing
        return found

    def leave_out(key: str, missing: Flags, reason: str) -> None:
        missing = design.in_sets(missing & ~np.isnan(responses[key]), key)
        lost = int((missing & ~np.isnan(responses[key])).sum())
        if lost:
            dropped[reason] += lost
            responses[key] = np.where(missing, np.nan, responses[key])

    for k, key in enumerate(forms[0].responses):
        for reason, missing in reasons([p for form in forms for p in form.needed[k]]).items():
            leave_out(key, missing, reason)
    for level, of_key in logits.values():
        for reason, missing in reasons(products_of(of_key)).items():
            everywhere = anywhere(missing, design, level)
            for key in responses:
                leave_out(key, everywhere, reason)
    same = all(responses[key] is y for key, y in design.responses.items())
    return design if same else replace(design, responses=responses), dict(dropped)


@dataclass(frozen=True)
class Units:
    """Units of the levels that something is conditioned on, and of the highest level.

    Parameters
    ----------
    levels : tuple of str
        Levels of the stages, lowest first.
    number : mapping from level to (n,) ints
        Unit of each record, -1 where it has nothing that is observed.
    first : mapping from level to (U,) ints
        First record of each unit.
    stages : tuple of Stage
    records : (C,) ints
        First record of each top-level unit.
    multiplicity : (C,) floats
        How often each occurred.
    used : float
        Number of records with a response, frequencies counted.
    inner : Design
        The design with the weights of levels below the stages alone, which the leaves apply.
    """

    levels: tuple[str, ...]
    number: Mapping[str, Ints]
    first: Mapping[str, Ints]
    stages: tuple[Stage, ...]
    records: Ints
    multiplicity: Floats
    used: float
    inner: Design

    @classmethod
    def of(cls, table: ParameterTable, design: Design, conditions: Conditions, filled: Mapping[str, Flags]) -> Units:
        """Number the units of a design; responses are filled in where they are flagged."""
        axes: dict[str, list[int]] = {level: [] for level in table.levels}
        places = [*conditions.levels, *(table.variables[k].level for k in conditions.nodes)]
        for axis, level in enumerate(places):
            axes[level].append(axis)
        top = table.levels[-1]
        levels = [level for level in table.levels if axes[level]] or [top]
        chain = levels if levels[-1] == top else [*levels, top]
        seen = _seen(design, [*design.responses.values(), *design.observed.values()])
        for flags in filled.values():
            seen |= flags
        number: dict[str, Ints] = {}
        first: dict[str, Ints] = {}
        for level in chain:
            code = np.arange(design.n_rows) if level == ROWS else design.clusters[level]
            names, begin = np.unique(code[seen], return_index=True)
            place = np.full(int(code.max(initial=-1)) + 1, -1)
            place[names] = np.arange(names.size)
            number[level], first[level] = place[code], np.flatnonzero(seen)[begin]
        stages = []
        for n, level in enumerate(levels):
            end = table.levels.index(levels[n + 1]) if n + 1 < len(levels) else len(table.levels)
            inside = table.levels[table.levels.index(level) : end]
            parent = number[chain[min(n + 1, len(chain) - 1)]][first[level]]
            stages.append(Stage(level, tuple(axes[level]), parent, _weight(design, inside, first[level])))
        records = first[chain[-1]]
        multiplicity = np.ones(records.size)
        counts = np.ones(design.n_rows)
        for level, values in design.frequency.items():
            counts = counts * values
            if level == top:
                multiplicity = multiplicity * values[records]
        used = float(counts[_seen(design, list(design.responses.values()))].sum())
        below = table.levels[: table.levels.index(levels[0])]
        inner = replace(
            design,
            frequency={k: v for k, v in design.frequency.items() if k in below},
            weights={k: v for k, v in design.weights.items() if k in below},
        )
        return cls(tuple(levels), number, first, tuple(stages), records, multiplicity, used, inner)


def _seen(design: Design, columns: Sequence[Floats]) -> Flags:
    """Return which records have a value in some column."""
    out: Flags = np.zeros(design.n_rows, dtype=bool)
    for values in columns:
        out |= ~np.isnan(values)
    return out


def _weight(design: Design, levels: Sequence[str], records: Ints) -> Floats | None:
    """Return the product of the frequencies and weights of some levels, None where there are none."""
    weight: Floats | None = None
    for given in (design.frequency, design.weights):
        for level in levels:
            if level in given:
                own = given[level][records]
                weight = own if weight is None else weight * own
    return weight
