"""Closed forms for models whose responses are all gaussian.

`choose` names the engine for a model and its data, `engine` documents what all offer. `OneLevel` and `TwoLevel` work
on moments, `Nested` and `FreeResiduals` on sufficient statistics of the lowest units, `ByRow` on the rows.
Kernels are imported when an engine first needs them.
"""

from semlang.estimation.gaussian.by_row import ByRow
from semlang.estimation.gaussian.choose import choose
from semlang.estimation.gaussian.engine import Engine, differences
from semlang.estimation.gaussian.free_residuals import FreeResiduals
from semlang.estimation.gaussian.nested import Nested
from semlang.estimation.gaussian.one_level import OneLevel
from semlang.estimation.gaussian.two_level import TwoLevel
from semlang.estimation.member import Infeasible

__all__ = ["ByRow", "Engine", "FreeResiduals", "Infeasible", "Nested", "OneLevel", "TwoLevel", "choose", "differences"]
