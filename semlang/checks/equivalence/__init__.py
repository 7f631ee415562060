"""Equivalence: whether two models say the same about what can be observed."""

from semlang.checks.equivalence.compare import Comparison, compare
from semlang.checks.equivalence.moves import Equivalent, equivalents

__all__ = ["Comparison", "Equivalent", "compare", "equivalents"]
