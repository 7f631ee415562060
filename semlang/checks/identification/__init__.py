"""Identification: whether the parameters are determined by what can be observed, and why."""

from semlang.checks.identification.identify import identify
from semlang.checks.identification.report import Identification, Reason

__all__ = ["Identification", "Reason", "identify"]
