"""The compiled kernels that a wheel carries, by level of the processor: the best that this machine has is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from semlang.estimation.kernels.linking import machine

__all__ = ["FOLDER", "LEVELS", "OPTIONS", "best_level", "shipped_folder"]

FOLDER = Path(__file__).parent / "compiled"
"""A folder by the hash of the sources, in it one by level."""

OPTIONS = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_OPT", "NUMBA_BOUNDSCHECK", "NUMBA_ENABLE_AVX",
           "NUMBA_LOOP_VECTORIZE", "NUMBA_SLP_VECTORIZE")  # fmt: skip
"""Variables of the environment that change the code: who sets one wants his own."""

_V2 = frozenset(("cx16", "sahf", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"))
_V3 = _V2 | {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"}
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}

LEVELS: Mapping[str, frozenset[str]] = {
    "generic": frozenset(), "x86-64-v2": _V2, "x86-64-v3": _V3, "x86-64-v4": _V4, "apple-m1": frozenset(),
}  # fmt: skip
"""What a processor must have, by the compiler's names of processors and features; the best ones last.

The x86-64 levels are those of the System V ABI. Every Mac with an ARM processor is an apple-m1 at least.
"""


def best_level(there: set[str], features: Mapping[str, bool]) -> str:
    """Return the best of some levels that a processor with these features has, or ''."""
    own = {name for name, has in features.items() if has}
    fit = [level for level, needed in LEVELS.items() if level in there and needed <= own]
    return fit[-1] if fit else ""


@cache
def shipped_folder(sources: str) -> Path | None:
    """Return the folder with this machine's code of the sources with a given hash, or None."""
    folder = FOLDER / sources[:16]
    if any(name in os.environ for name in OPTIONS) or not folder.is_dir():
        return None
    level = best_level({p.name for p in folder.iterdir()}, machine().features)
    return folder / level if level else None
