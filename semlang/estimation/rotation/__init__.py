"""Rotation of exploratory factors: criteria, gradient projection, and what it does to estimates."""

from semlang.estimation.rotation.rotate import rotate

__all__ = ["rotate"]
