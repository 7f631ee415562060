"""Compile kernels into the cache: all of them at once, or those that a fit is about to need, on all processors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from semlang.estimation.kernels.declaring import Kernel
from semlang.estimation.kernels.densities import has_rows, rows_of
from semlang.estimation.kernels.families import CODES
from semlang.estimation.kernels.objects import is_there, kernel_folder

__all__ = ["all_kernels", "compile_all", "prepare"]

SECONDS = {
    "lowest_units": 3.5, "rows_at_nodes": 2.2, "find_modes": 2.0, "node_moments": 0.9, "reverse": 0.9,
    "row_adjoints": 2.0, "forward": 0.6, "laplace": 0.4, "third_derivatives": 0.3,
    "plain_rows": 0.2,
}  # fmt: skip
"""About how long kernels take to compile; the others a second."""
START = 1.0
"""Seconds that a process takes to start."""
NOT_KERNELS = ("compiling", "group_types", "warmup")
"""Modules that import the compiler, and this one."""
PATIENCE = 120.0
MOST_PROCESSES = 4


def prepare(kernels: Sequence[Kernel]) -> None:
    """Compile those of some kernels that are not in the cache, in several processes.

    Parameters
    ----------
    kernels : sequence of Kernel
        Those that are about to be called.
    """
    missing = _missing(kernels)
    if len(missing) < 2:
        return
    others = min(_processors(), MOST_PROCESSES) - 1
    shares = _shares(missing, [0.0] + [START] * others)
    started = [_start(share) for share in shares[1:]]
    for kernel in shares[0]:
        kernel.load()
    for process in started:
        if process is not None:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def compile_all(progress: Callable[[int, int, str], None] | None = None) -> None:
    """Compile every kernel and density that is not in the cache.

    Parameters
    ----------
    progress : callable, optional
        Called with the number done, the number of all, and the name of what comes next.
    """
    kernels = all_kernels()
    for done, kernel in enumerate(kernels):
        if progress is not None:
            progress(done, len(kernels), kernel.name)
        kernel.load()
    if progress is not None:
        progress(len(kernels), len(kernels), "")


def all_kernels() -> list[Kernel]:
    """Return every kernel of this package, the loops over rows of the densities last."""
    found: dict[str, Kernel] = {}
    for module in sorted(Path(__file__).parent.glob("*.py")):
        if module.stem not in NOT_KERNELS:
            values = vars(import_module(f"semlang.estimation.kernels.{module.stem}")).values()
            found.update((value.name, value) for value in values if isinstance(value, Kernel))
    return [*found.values(), *(rows_of(code) for code in CODES.values() if has_rows(code))]


def _missing(kernels: Sequence[Kernel]) -> list[Kernel]:
    """Return those that are neither loaded nor in a file; none where there is no cache to share."""
    if kernel_folder() is None:
        return []
    return [k for k in kernels if not k.loaded and not is_there(k)]


def _shares(kernels: Sequence[Kernel], load: list[float]) -> list[list[Kernel]]:
    """Divide kernels so that all processes end at about the same time; ``load`` is what else they do."""
    shares: list[list[Kernel]] = [[] for _ in load]
    for kernel in sorted(kernels, key=lambda k: -SECONDS.get(k.name, 1.0)):
        place = load.index(min(load))
        load[place] += SECONDS.get(kernel.name, 1.0)
        shares[place].append(kernel)
    return shares


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(kernels: Sequence[Kernel]) -> subprocess.Popen[bytes] | None:
    """Start a process that compiles kernels into the cache; None where that can't be done."""
    if not kernels or getattr(sys, "frozen", False) or not Path(sys.executable or "").name.startswith("python"):
        return None
    paths = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, *(k.name for k in kernels)],
            env={**os.environ, "PYTHONPATH": paths}, stdin=nothing, stdout=nothing, stderr=nothing,
        )  # fmt: skip
    except OSError:
        return None


if __name__ == "__main__":
    for asked in all_kernels():
        if asked.name in sys.argv[1:]:
            asked.load()
