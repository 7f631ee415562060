"""Closed forms for models whose responses are all gaussian."""

from semlang.estimation.gaussian.engine import Engine, Infeasible
from semlang.estimation.gaussian.one_level import OneLevel

__all__ = ["Engine", "Infeasible", "OneLevel"]
