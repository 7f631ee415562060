"""Code for other programs, and from some of them."""

from semlang.convert.convert import TARGETS, convert
from semlang.convert.converted import Converted
from semlang.convert.from_lavaan import from_lavaan
from semlang.convert.from_lme4 import from_lme4
from semlang.convert.from_mplus import from_mplus

__all__ = ["TARGETS", "Converted", "convert", "from_lavaan", "from_lme4", "from_mplus"]
