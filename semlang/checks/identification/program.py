"""The reduced form's straight-line program over the field: values forwards, derivatives backwards."""

from __future__ import annotations

import numpy as np

from semlang.checks.identification.field import Ints, P, residue
from semlang.matrices.reduced import Cells, ReducedForm


class FieldProgram:
    """A reduced form evaluated at one point of the field.

    Parameters
    ----------
    form : ReducedForm
    theta : (P,) elements of the field
    """

    def __init__(self, form: ReducedForm, theta: Ints) -> None:
        self.form = form
        self.theta = theta
        self._lines: list[list[int]] = form.program.tolist()
        t = theta.tolist()
        self._weights = [
            t[p] if p >= 0 else residue(c) for (_, _, p), c in zip(self._lines, form.constants.tolist(), strict=True)
        ]
        slots = [0] * form.n_slots
        slots[0] = 1
        for (to, frm, _), w in zip(self._lines, self._weights, strict=True):
            slots[to] = (slots[to] + w * slots[frm]) % P
        self.slots = slots

    def pull_back(self, bar: Ints, gradient: Ints) -> None:
        """Add to `gradient` (P, N) what N derivatives with respect to the slots, `bar` (S, N), mean for the parameters.

        `bar` is overwritten.
        """
        for i in range(len(self._lines) - 1, -1, -1):
            to, frm, p = self._lines[i]
            if p >= 0:
                gradient[p] = (gradient[p] + bar[to] * self.slots[frm]) % P
            if frm:
                w = self._weights[i]
                bar[frm] = (bar[frm] + (bar[to] if w == 1 else bar[to] * w)) % P

    def matrix(self, cells: Cells) -> Ints:
        """Return a matrix of constants and free cells."""
        out = np.zeros(cells.shape, dtype=np.int64)
        for i, j, p, v in zip(
            cells.i.tolist(), cells.j.tolist(), cells.parameter.tolist(), cells.value.tolist(), strict=True
        ):
            out[i, j] = self.theta[p] if p >= 0 else residue(v)
            if cells.symmetric:
                out[j, i] = out[i, j]
        return out
