"""Arithmetic and linear algebra over the integers modulo the prime 2^31 - 1: exact, without a tolerance.

A rank over the field at a random point is never larger than the rank of the same matrix of polynomials, and equal to
it but for a probability of degree / p (Schwartz 1980; Zippel 1979).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

P = (1 << 31) - 1
"""The prime, 2147483647."""

Ints = NDArray[np.int64]

FEW = 32
"""Numbers below which a loop in Python takes less time than one over an array."""


def residue(value: float | int | Fraction) -> int:
    """Return a number as an element of the field; a float counts as the decimal that it prints as.

    Examples
    --------
    >>> 4 * residue(0.25) % P
    1
    """
    if isinstance(value, (int, Fraction)):
        return value.numerator % P * pow(value.denominator, P - 2, P) % P
    exact = Decimal(repr(float(value)))  # ten times as fast as a fraction
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is no number of the field")
    return int(exact.scaleb(-exponent)) % P * _power_of_ten(exponent) % P


@cache
def _power_of_ten(exponent: int) -> int:
    return pow(10, exponent, P)


def inverse(value: int) -> int:
    """Return 1 / value.

    Raises
    ------
    ZeroDivisionError
        If the value is 0.
    """
    if value % P == 0:
        raise ZeroDivisionError("0 has no inverse")
    return pow(int(value), P - 2, P)


def _wide(values: NDArray[np.integer[Any]]) -> Ints:
    """Return integers of 64 bits, whatever the platform's own are: products of two elements have 62."""
    return values.astype(np.int64, copy=False)


def inverses(values: NDArray[np.integer[Any]]) -> Ints:
    """Return 1 / values elementwise (0 for 0), by repeated squaring."""
    if values.size < FEW:
        found = [pow(v, P - 2, P) for v in values.ravel().tolist()]
        return np.array(found, dtype=np.int64).reshape(values.shape)
    base, exponent = _wide(values) % P, P - 2
    out = np.ones_like(base)
    while exponent:
        if exponent & 1:
            out = out * base % P
        base = base * base % P
        exponent >>= 1
    return out


def matmul(a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]]) -> Ints:
    """Return a b modulo p, exactly, by four products of 16-bit halves in floating point.

    Sums of n products below 2^32 stay below 2^53 for n up to 2^21. Leading axes broadcast.
    """
    a, b = _wide(a), _wide(b)
    if a.shape[-1] == 1 or a.shape[-1] * a.shape[-2] * b.shape[-1] < 64:
        out = np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), dtype=np.int64)
        for k in range(a.shape[-1]):
            out = (out + a[..., :, k, None] * b[..., None, k, :]) % P
        return out
    a1, a0 = (a >> 16).astype(float), (a & 0xFFFF).astype(float)
    b1, b0 = (b >> 16).astype(float), (b & 0xFFFF).astype(float)
    high = (a1 @ b1).astype(np.int64) % P
    middle = (a1 @ b0 + a0 @ b1).astype(np.int64) % P
    low = (a0 @ b0).astype(np.int64) % P
    product: Ints = ((((high << 16) % P + middle) % P << 16) % P + low) % P
    return product


def echelon(matrix: NDArray[np.integer[Any]]) -> tuple[Ints, list[int]]:
    """Return the row echelon form (unit pivots, nothing cleared above them) and the pivot columns.

    Examples
    --------
    >>> echelon(np.array([[1, 2, 3], [2, 4, 6], [0, 0, 5]]))[1]
    [0, 2]
    """
    a = _wide(matrix) % P
    m, n = a.shape
    pivots: list[int] = []
    r = 0
    for c in range(n):
        if r == m:
            break
        column = a[r:, c] % P
        rows = np.flatnonzero(column)
        if rows.size == 0:
            a[r:, c] = 0
            continue
        k = r + int(rows[0])
        if k != r:
            a[[r, k]] = a[[k, r]]
        pivot = a[r, c:] % P * inverse(int(a[r, c])) % P
        a[r, c:] = pivot
        if r + 1 < m:
            factor = (P - a[r + 1 :, c] % P)[:, None]
            rest = a[r + 1 :, c:] + factor * pivot
            rest = (rest & P) + (rest >> 31)  # 2^31 = 1: a Mersenne prime needs no division
            a[r + 1 :, c:] = (rest & P) + (rest >> 31)
        pivots.append(c)
        r += 1
    return a[:r] % P, pivots


def rank(matrix: Ints) -> int:
    """Return the rank."""
    return len(echelon(matrix)[1])


def null_space(reduced: Ints, pivots: list[int], n: int) -> Ints:
    """Return a basis of the null space (n, n - rank), one column a free coordinate, from an echelon form."""
    taken = set(pivots)
    free = [c for c in range(n) if c not in taken]
    basis = np.zeros((n, len(free)), dtype=np.int64)
    for j, c in enumerate(free):
        basis[c, j] = 1
    if free:
        for r in range(len(pivots) - 1, -1, -1):
            c = pivots[r]
            basis[c] = (P - matmul(reduced[r : r + 1, c + 1 :], basis[c + 1 :])[0]) % P
    return basis


def kernel(matrix: Ints) -> Ints:
    """Return a basis of {v: matrix v = 0} as columns."""
    reduced, pivots = echelon(matrix)
    return null_space(reduced, pivots, matrix.shape[1])


def fraction(value: int, bound: int = 1000) -> Fraction | None:
    """Return the fraction a/b with |a|, b <= bound that an element stands for, or None (rational reconstruction).

    Examples
    --------
    >>> fraction(residue(Fraction(-2, 3)))
    Fraction(-2, 3)
    """
    r0, r1, t0, t1 = P, value % P, 0, 1
    while r1 > bound:
        q = r0 // r1
        r0, r1, t0, t1 = r1, r0 - q * r1, t1, t0 - q * t1
    if t1 == 0 or abs(t1) > bound:
        return None
    return Fraction(r1, t1)
