"""Numbers of the field with their derivatives by all parameters: forward differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semlang.checks.identification.field import Ints, P, inverse, residue


@dataclass(frozen=True)
class Dual:
    """A value and its slopes (P,)."""

    value: int
    slope: Ints

    def __mul__(self, other: Dual) -> Dual:
        slope = (self.slope * other.value + other.slope * self.value) % P
        return Dual(self.value * other.value % P, slope)

    def __add__(self, other: Dual) -> Dual:
        return Dual((self.value + other.value) % P, (self.slope + other.slope) % P)

    def times(self, c: int) -> Dual:
        """Return the product with a constant."""
        return Dual(self.value * c % P, self.slope * (c % P) % P)

    def reciprocal(self) -> Dual:
        """Return 1 / self."""
        r = inverse(self.value)
        return Dual(r, (P - self.slope) * r % P * r % P)

    @classmethod
    def constant(cls, value: int, n: int) -> Dual:
        """Return a number that depends on none of `n` parameters."""
        return cls(value % P, np.zeros(n, dtype=np.int64))

    @classmethod
    def parameter(cls, p: int, theta: Ints) -> Dual:
        """Return a parameter."""
        slope = np.zeros(theta.size, dtype=np.int64)
        slope[p] = 1
        return cls(int(theta[p]), slope)

    @classmethod
    def coefficient(cls, p: int, value: float, theta: Ints) -> Dual:
        """Return a parameter, or a constant where p is negative."""
        return cls.parameter(p, theta) if p >= 0 else cls.constant(residue(value), theta.size)
