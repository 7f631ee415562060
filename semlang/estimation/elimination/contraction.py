"""One step of elimination: a product of factors, summed over the nodes of a variable; and its adjoint.

Arrays have a line for each distinct unit, then an axis for each variable of the step's clique, of length one where the
factor does not depend on it; the variable that is summed over is the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Contraction", "contract"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contraction:
    """``M = sum_j own_j K_j prod_f f_j``, and what its adjoint needs.

    Parameters
    ----------
    value : (n, Q, ...) floats
        M, with an axis for each variable that is left.
    own : (n, Q) floats
        Product of the factors of the variable alone.
    others : sequence of (n, ...) floats
    kernel : (...) floats
        Product of the distributions, without an axis of lines.
    """

    value: Floats
    own: Floats
    others: tuple[Floats, ...]
    kernel: Floats
    _way: str

    def adjoint(self, bar: Floats) -> tuple[Floats, list[Floats], Floats]:
        """Return the adjoints of own, of the others and of the kernel from that of the value."""
        n, q = self.own.shape
        own, kernel = self.own, self.kernel
        if self._way == "product":
            lines, K = bar.reshape(n, -1), kernel.reshape(-1, q)
            return lines @ K, [], (lines.T @ own).reshape(kernel.shape)
        if self._way == "pair":
            a, b = self.others
            X, Y = _lines(a), _lines(b)
            k = kernel.reshape(q)
            scaled = (own * k)[:, None, :]
            middle = _apart(bar, a, b)
            X_bar = middle @ Y
            Y_bar = middle.transpose(0, 2, 1) @ (X * scaled)
            both = np.einsum("naj,naj->nj", X_bar, X)
            return (
                both * k,
                [(X_bar * scaled).reshape(a.shape), Y_bar.reshape(b.shape)],
                (both * own).sum(axis=0).reshape(kernel.shape),
            )
        wide = bar[..., None] * own.reshape(n, *(1,) * (bar.ndim - 1), q)
        W = _product([*self.others, kernel[None]])
        flat = bar.reshape(n, 1, -1)
        if W.size < wide.size:
            W = np.broadcast_to(W, wide.shape)
        own_bar = np.matmul(flat, W.reshape(n, -1, q))[:, 0, :]
        bars = []
        for number, f in enumerate(self.others):
            rest = [g for m, g in enumerate(self.others) if m != number]
            bars.append(_reduced(_times(wide, [*rest, kernel[None]]), f.shape))
        if _is_one(kernel):
            return own_bar, bars, np.zeros_like(kernel)
        return own_bar, bars, _reduced(_times(wide, self.others), (1, *kernel.shape))[0]


def contract(own: Floats, others: Sequence[Floats], kernel: Floats) -> Contraction:
    """Sum over the last axis.

    Parameters
    ----------
    own : (n, Q) floats
    others : sequence of (n, ...) floats
    kernel : (...) floats
        All with the axes of the clique.
    """
    n, q = own.shape
    shape = kernel.shape
    if not others:
        value = (own @ kernel.reshape(-1, q).T).reshape(n, *shape[:-1])
        return Contraction(value, own, (), kernel, "product")
    if len(others) == 2 and kernel.size == q:
        a, b = others
        whole = np.broadcast_shapes(a.shape, b.shape)
        if a[0].size * b[0].size == whole[-1] * int(np.prod(whole[1:])) and a.shape[-1] == b.shape[-1] == q:
            X, Y = _lines(a), _lines(b)
            product = (X * (own * kernel.reshape(q))[:, None, :]) @ Y.transpose(0, 2, 1)
            return Contraction(_together(product, a, b), own, (a, b), kernel, "pair")
    W = _product([*others, kernel[None]])
    value = np.matmul(W.reshape(n, -1, q), own[:, :, None])[:, :, 0].reshape(n, *W.shape[1:-1])
    return Contraction(value, own, tuple(others), kernel, "sum")


def _lines(a: Floats) -> Floats:
    return a.reshape(a.shape[0], -1, a.shape[-1])


def _axes(a: Floats, b: Floats) -> tuple[list[int], list[int]]:
    """Return the axes of a and of b that are left; an axis that neither has goes with a."""
    ndim = a.ndim - 1
    second = [k for k in range(1, ndim) if b.shape[k] > 1]
    return [k for k in range(1, ndim) if k not in second], second


def _together(product: Floats, a: Floats, b: Floats) -> Floats:
    """Put the axes of (n, A, B) into the order of the clique."""
    first, second = _axes(a, b)
    split = product.reshape(len(product), *(a.shape[k] for k in first), *(b.shape[k] for k in second))
    back = np.argsort([0, *first, *second])
    return np.ascontiguousarray(split.transpose(back))


def _apart(bar: Floats, a: Floats, b: Floats) -> Floats:
    """Return a bar of the value as (n, A, B)."""
    first, second = _axes(a, b)
    moved = bar.transpose([0, *first, *second])
    return np.ascontiguousarray(moved).reshape(len(bar), int(np.prod([a.shape[k] for k in first])), -1)


def _product(factors: Sequence[Floats]) -> Floats:
    out = factors[0]
    for f in factors[1:]:
        out = out if _is_one(f) else out * f
    return out


def _times(wide: Floats, factors: Sequence[Floats]) -> Floats:
    for f in factors:
        wide = wide if _is_one(f) else wide * f
    return wide


def _is_one(f: Floats) -> bool:
    """Whether a factor is that of a step without a distribution."""
    return f.size == f.shape[-1] and bool((f == 1.0).all())


def _reduced(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Sum over axes that have length one in `shape`."""
    axes = tuple(k for k, (n, m) in enumerate(zip(values.shape, shape, strict=True)) if m == 1 and n > 1)
    return values.sum(axis=axes, keepdims=True) if axes else values
