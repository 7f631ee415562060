"""Code for other programs, and from lavaan."""

from semlang.convert.convert import TARGETS, convert
from semlang.convert.converted import Converted
from semlang.convert.from_lavaan import from_lavaan

__all__ = ["TARGETS", "Converted", "convert", "from_lavaan"]
