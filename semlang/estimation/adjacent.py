"""Linear predictors of the categories of adjacent-category responses: sums of thresholds beside multiples of nu."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from semlang.matrices.reduced import Linear, Predictor, ReducedForm
from semlang.model.table import Product, Variable

__all__ = ["with_categories"]

_Line = tuple[int, int, int, float]


def with_categories(reduced: ReducedForm, variables: Mapping[str, Variable]) -> ReducedForm:
    """Return the reduced form in which an adjacent-category response has a linear predictor a category.

    log P(s)/P(s-1) = nu - tau_s (Masters 1982; Muraki 1992), so that category s has the linear predictor
    ``s nu - tau_1 - ... - tau_s`` of a multinomial logit, 0 having none. They take the place of the thresholds.

    Parameters
    ----------
    reduced : ReducedForm
    variables : mapping from key to Variable
    """
    here = [k for k in reduced.thresholds if variables[reduced.responses[k]].kind.name == "adjacent"]
    if not here:
        return reduced
    lines: list[_Line] = []
    size = reduced.n_slots
    columns = {p: c for c, p in enumerate(reduced.mean_columns)}
    means, loadings = reduced.mean_cells.tolist(), reduced.loading_cells.tolist()
    new_means: list[tuple[int, int, int]] = []
    new_loadings: list[tuple[int, int, int, int]] = []
    predictors = list(reduced.predictors)

    def slot(addends: list[tuple[int, int, float]]) -> int:
        """Return a new slot, the sum of coefficient (parameter or constant) x slot."""
        nonlocal size
        lines.extend((size, *a) for a in addends)
        size += 1
        return size - 1

    def value(a: Linear) -> int:
        return a.slot if a.slot >= 0 else slot([(0, a.parameter, a.value)])

    for k in here:
        sums: dict[Product, list[int]] = {}
        predictors.append(Predictor(k, "0"))
        for s, threshold in enumerate(reduced.thresholds[k], 1):
            number = len(reduced.responses) + len(predictors)
            predictors.append(Predictor(k, str(s)))
            for a in threshold:
                sums.setdefault(a.via, []).append(value(a))
            terms = {via: [(t, -1, -1.0) for t in slots] for via, slots in sums.items()}
            for kk, c, own in means:
                if kk == k:
                    terms.setdefault(reduced.mean_columns[c], []).append((own, -1, float(s)))
            for via in reduced.offsets.get(k, ()):
                terms.setdefault(via, []).append((0, -1, float(s)))
            for via, addends in terms.items():
                new_means.append((number, columns.setdefault(via, len(columns)), slot(addends)))
            for kk, a, j, own in loadings:
                if kk == k:
                    new_loadings.append((number, a, j, slot([(own, -1, float(s))])))
    return replace(
        reduced,
        mean_columns=tuple(columns),
        program=np.concatenate([reduced.program, np.array([line[:3] for line in lines], dtype=np.int64)]),
        constants=np.concatenate([reduced.constants, [line[3] for line in lines]]),
        n_slots=size,
        mean_cells=np.array(sorted([*map(tuple, means), *new_means]), dtype=np.int64).reshape(-1, 3),
        loading_cells=np.array(sorted([*map(tuple, loadings), *new_loadings]), dtype=np.int64).reshape(-1, 4),
        thresholds={k: t for k, t in reduced.thresholds.items() if k not in here},
        offsets={k: o for k, o in reduced.offsets.items() if k not in here},
        predictors=tuple(predictors),
    )
