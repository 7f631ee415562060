"""Compile all kernels for some levels of processors into a folder: ``python -m semlang.estimation.kernels.ship``.

What lies in `shipped.FOLDER` when a wheel is built goes into it, and fits with it are warm from the first one on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from semlang.cache import store
from semlang.estimation.kernels.objects import SUFFIX, sources_hash
from semlang.estimation.kernels.shipped import LEVELS

__all__ = ["ship"]


def ship(folder: Path, levels: Sequence[str], only: Collection[str] = ()) -> Path:
    """Compile kernels for levels; return the folder that has one by level.

    Parameters
    ----------
    folder : Path
        Made if need be.
    levels : sequence of str
        Of `shipped.LEVELS`; of this process' kind of machine, which need not have them.
    only : collection of str, optional
        Names of kernels; all, where there are none.

    Raises
    ------
    ValueError
        For a level that does not exist.
    RuntimeError
        If the compiler fails.
    """
    unknown = [level for level in levels if level not in LEVELS]
    if unknown:
        raise ValueError(f"no level {unknown[0]!r}: one of {', '.join(LEVELS)}")
    target = folder / sources_hash()[:16]
    for level in levels:
        place = target / level
        place.mkdir(parents=True, exist_ok=True)
        # the compiler reads its processor when it is imported
        environment = {**os.environ, "NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": ""}
        command = [sys.executable, "-m", "semlang.estimation.kernels.ship", "--here", str(place), *only]
        done = subprocess.run(command, env=environment, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the kernels could not be compiled for {level}")
    return target


def _compile(place: Path, only: Collection[str]) -> None:
    """Compile kernels for the processor that this process' environment names."""
    from semlang.estimation.kernels.compiling import object_code
    from semlang.estimation.kernels.warmup import all_kernels

    for kernel in all_kernels():
        if not only or kernel.name in only:
            file = place / (kernel.name + SUFFIX)
            if not store(file, object_code(kernel)):
                raise OSError(f"{file} can't be written")
            file.chmod(0o644)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m semlang.estimation.kernels.ship", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the code goes")
    parser.add_argument("names", nargs="*", help=f"levels: {', '.join(LEVELS)}")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # names are those of kernels
    given = parser.parse_args()
    if given.here:
        _compile(given.folder, given.names)
    else:
        print(ship(given.folder, given.names or ["generic"]))


if __name__ == "__main__":
    _main()
