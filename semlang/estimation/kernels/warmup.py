"""Compile all kernels and densities into the cache."""

from __future__ import annotations

from collections.abc import Callable

from semlang.estimation.kernels.adjoints import front_adjoints
from semlang.estimation.kernels.codes import CODES
from semlang.estimation.kernels.compiling import Kernel
from semlang.estimation.kernels.densities import addresses
from semlang.estimation.kernels.laplace import laplace, third_derivatives
from semlang.estimation.kernels.lowest import lowest_units
from semlang.estimation.kernels.modes import find_modes
from semlang.estimation.kernels.moments import laplace_moments, node_moments
from semlang.estimation.kernels.plain import plain_rows
from semlang.estimation.kernels.row_adjoints import mode_adjoints, row_adjoints
from semlang.estimation.kernels.upper import upper_nodes, upper_sums

__all__ = ["KERNELS", "compile_all"]

KERNELS: tuple[Kernel, ...] = (
    find_modes, laplace, third_derivatives, front_adjoints, mode_adjoints, row_adjoints, lowest_units, upper_nodes,
    upper_sums, plain_rows, laplace_moments, node_moments,
)  # fmt: skip


def compile_all(progress: Callable[[int, int, str], None] | None = None) -> None:
    """Compile every kernel and density that is not in the cache.

    Parameters
    ----------
    progress : callable, optional
        Called with the number done, the number of all, and the name of what comes next.
    """
    total = len(KERNELS) + len(CODES)
    for done, kernel in enumerate(KERNELS):
        if progress is not None:
            progress(done, total, kernel.name)
        kernel.load()
    for done, ((family, link), code) in enumerate(CODES.items(), start=len(KERNELS)):
        if progress is not None:
            progress(done, total, f"{family}({link})")
        addresses([code])
    if progress is not None:
        progress(total, total, "")
