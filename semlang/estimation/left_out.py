"""What of the data a likelihood has no place for: whole rows, and responses of rows that stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.expansion import missing_needs, needs_more
from semlang.matrices.reduced import ReducedForm

__all__ = ["LeftOut", "left_out"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LeftOut:
    """So many rows or responses that do not count, and why.

    Parameters
    ----------
    what : {'rows', 'responses'}
        Whole rows, or responses of rows with others that count.
    n : int
        Frequencies of rows counted.
    reason : str
    """

    what: str
    n: int
    reason: str


def left_out(
    forms: Sequence[ReducedForm], designs: Sequence[Design], used: Sequence[float], dropped: Mapping[str, int]
) -> tuple[int, tuple[LeftOut, ...]]:
    """Return the number of rows that were read, and what of them is left out.

    Parameters
    ----------
    forms, designs : sequences, one a group
    used : sequence of float
        Number of rows of each group that count.
    dropped : mapping from reason to int
        Responses that are left out; its reasons are those of rows that no form explains (effects on classes).
    """
    read, rows, responses = 0.0, Counter[str](), Counter[str]()
    for form, design, kept in zip(forms, designs, used, strict=True):
        weight = np.ones(design.n_rows)
        for values in design.frequency.values():
            weight = weight * values
        read += float(weight.sum())
        some = np.zeros(design.n_rows, dtype=bool)  # has a response
        counts = np.zeros(design.n_rows, dtype=bool)  # has one that counts
        lost: list[tuple[str, NDArray[np.bool_]]] = []
        for k, key in enumerate(form.responses):
            if counts.all() and not needs_more(form, design, k):
                continue
            known = ~np.isnan(design.responses[key])
            some |= known
            for reason, missing in missing_needs(form, design, k):
                lost.append((reason, known & missing))
                known = known & ~missing
            counts |= known
        gone = some & ~counts
        for reason, where in lost:
            rows[reason] += round(float(weight[where & gone].sum()))
            gone = gone & ~where
            responses[reason] += round(float(weight[where & counts].sum()))
        rows["no response"] += round(float(weight[~some].sum()))
        more = round(float(weight[counts].sum()) - kept)
        if more > 0:
            known_reasons = {reason for reason, _ in lost}
            rows[", ".join(r for r in dropped if r not in known_reasons) or "no response that counts"] += more
    out = [LeftOut("rows", n, reason) for reason, n in rows.items() if n]
    out += [LeftOut("responses", n, reason) for reason, n in responses.items() if n]
    return round(read), tuple(out)
