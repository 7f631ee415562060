"""Residual variances by kind: of each response, or of each value of the covariates of its log sigma."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.matrices.reduced import Linear, ReducedForm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST_VALUES = 64
"""Distinct values of the covariates of a log sigma up to which there are sufficient statistics."""


class Residuals:
    """Responses by kinds of homogeneous residual variance t.

    A response with t = Theta_kk is one kind. One with log sqrt(t) = sum_a gamma_a w_a is split by the
    distinct values of w.

    Attributes
    ----------
    response : (kinds,) ints
        The response of each kind.
    sums : (K, kinds)
        Indicators, which sum adjoints of kinds to those of responses.
    """

    def __init__(self, reduced: ReducedForm, design: Design, y: Floats) -> None:
        self._addends: dict[int, tuple[tuple[Linear, ...], Floats, slice]] = {}
        response: list[int] = []
        parts = []
        for k, values in enumerate(y):
            addends = reduced.quantities.get((k, "sigma"))
            if addends is None:
                response.append(k)
                parts.append(values)
                continue
            w = columns(design, addends)
            distinct, of = np.unique(w, axis=1, return_inverse=True)
            known = np.flatnonzero(~np.isnan(distinct).any(0))
            first = len(response)
            for g in known:
                response.append(k)
                parts.append(np.where(of.ravel() == g, values, np.nan))
            self._addends[k] = (addends, distinct[:, known], slice(first, len(response)))
        self.response = np.array(response, dtype=np.int64)
        self.y = np.array(parts)
        self.sums = (np.arange(len(y))[:, None] == self.response).astype(float)
        self.homogeneous = not self._addends
        plain = np.ones(len(response), dtype=bool)
        for _, _, at in self._addends.values():
            plain[at] = False
        self.plain = plain

    @staticmethod
    def supports(reduced: ReducedForm, design: Design) -> bool:
        """Return whether all quantities are log residual SDs with few distinct values of their covariates."""
        return all(
            name == "sigma" and len(np.unique(columns(design, addends), axis=1).T) <= MOST_VALUES
            for (_, name), addends in reduced.quantities.items()
        )

    def variances(self, theta: Floats, diagonal: Floats) -> Floats:
        """Return t (kinds,) from the parameters and the diagonal of Theta."""
        t = diagonal[self.response]
        for addends, w, at in self._addends.values():
            t[at] = np.exp(2 * np.array([theta[a.parameter] if a.parameter >= 0 else a.value for a in addends]) @ w)
        return t

    def gradient(self, t: Floats, t_bar: Floats, out: Floats) -> None:
        """Add dl/dgamma to `out` (P, ...) from dl/dt (kinds, ...)."""
        for addends, w, at in self._addends.values():
            scale = 2 * t[at].reshape(-1, *[1] * (t_bar.ndim - 1)) * t_bar[at]
            for addend, values in zip(addends, w, strict=True):
                if addend.parameter >= 0:
                    out[addend.parameter] += np.tensordot(values, scale, 1)


def columns(design: Design, addends: tuple[Linear, ...]) -> Floats:
    """Return the covariates of the addends (addends, n)."""
    return np.array([design.columns[a.via] if a.via else np.ones(design.n_rows) for a in addends])
